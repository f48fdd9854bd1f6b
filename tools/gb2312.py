"""Chinese for the board, whose interpreter knows no GB2312: `"...".encode("gb2312")` becomes its bytes in the build."""

import ast


def fold(source: str, name: str = "<source>") -> str:
    """The module with such calls on plain texts folded. UnicodeEncodeError for a character GB2312 does not have."""
    if '.encode("gb2312")' not in source:
        return source
    tree = _Fold().visit(ast.parse(source, name))
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


class _Fold(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:  # noqa: N802 - the name ast asks for
        self.generic_visit(node)
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str(text)), attr="encode"),
                args=[ast.Constant(value="gb2312")],
            ):
                return ast.copy_location(ast.Constant(text.encode("gb2312")), node)
        return node
