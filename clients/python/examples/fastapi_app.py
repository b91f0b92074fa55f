"""A FastAPI application whose calls are recorded: `uvicorn fastapi_app:app`."""

from fastapi import FastAPI

from tallystick_client import Tracker
from tallystick_client.middleware.fastapi import track_calls

tracker = Tracker()
app = FastAPI()
track_calls(app, tracker, team=lambda request: request.headers.get("x-team"))


@app.get("/users/{user_id}")
def show(user_id: int) -> dict[str, int]:
    """Recorded as `/users/{user_id}`, whichever user it is."""
    return {"id": user_id}
