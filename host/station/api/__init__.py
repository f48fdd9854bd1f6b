"""REST API under /api/v1 (OpenAPI at /api/v1/openapi.json). A face: it reads and calls, and holds no rule."""

from station.api.app import create_app

__all__ = ["create_app"]
