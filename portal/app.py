"""The web application: what Zalo tells, what a monitor asks, and pages for people."""

from fastapi import FastAPI

from portal import health, mailbox, metrics, pages, zalo


def create_app() -> FastAPI:
    """Return the application; nothing is read from the environment before the first request."""
    app = FastAPI(title="congnhan", docs_url=None, redoc_url=None, openapi_url=None)
    for part in (zalo, health, metrics, pages, mailbox):
        app.include_router(part.router)

    @app.get("/health")
    def answers() -> dict[str, str]:
        """Say that the application answers."""
        return {"status": "ok"}

    return app
