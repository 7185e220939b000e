"""The web application. So far it receives what Zalo tells; pages for people join it."""

from fastapi import FastAPI

from portal import zalo


def create_app() -> FastAPI:
    """Return the application; nothing is read from the environment before the first request."""
    app = FastAPI(title="congnhan", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(zalo.router)

    @app.get("/health")
    def health() -> dict[str, str]:
        """Say that the application answers."""
        return {"status": "ok"}

    return app
