"""The README promises only what stands: the tests it names, the files it links, the targets it tells to make."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_every_test_named_in_the_readme_exists() -> None:
    sources = "\n".join(p.read_text("utf-8") for d in ("tests", "hil_tests") for p in (ROOT / d).rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", README)
    assert len(named) > 10
    assert [name for name in named if f"def {name}(" not in sources] == []


def test_every_link_in_the_documents_leads_somewhere() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    dead = [
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8"))
        if not target.startswith("http") and not (document.parent / target).exists()
    ]
    assert dead == []


def test_every_make_target_in_the_readme_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE))
    assert asked and asked <= targets
