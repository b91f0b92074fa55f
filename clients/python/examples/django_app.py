"""A Django project in one file whose calls are recorded."""

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from tallystick_client import Tracker

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["tallystick_client.middleware.django.TallystickMiddleware"],
    TALLYSTICK={"tracker": Tracker(), "team": lambda request: request.headers.get("x-team")},
)
django.setup()


def show(_request: HttpRequest, order: int) -> JsonResponse:
    """Recorded as `/orders/<int:order>/`."""
    return JsonResponse({"order": order})


urlpatterns = [path("orders/<int:order>/", show)]
app = get_wsgi_application()
