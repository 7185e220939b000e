"""When things happen. The only folder that knows Prefect."""
