"""A Flask application whose calls are recorded: `flask --app flask_app run`."""

from flask import Flask, g, request

from tallystick_client import Tracker
from tallystick_client.middleware.flask import track_calls

tracker = Tracker()
app = Flask(__name__)
track_calls(app, tracker, team=lambda: g.get("team"))


@app.before_request
def authenticate() -> None:
    """Find out whose call it is, as your application does it."""
    g.team = request.headers.get("x-team")


@app.get("/orders/<int:order>")
def show(order: int) -> dict[str, int]:
    """Recorded as `/orders/<int:order>`."""
    return {"order": order}
