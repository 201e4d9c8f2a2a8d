"""When and where the work is done: Prefect flows, runners, progress, and the m5ser command."""
