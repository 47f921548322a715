"""One page."""

from django.http import HttpResponse
from django.urls import path


def index(request):
    return HttpResponse("hello from Django\n", content_type="text/plain")


urlpatterns = [path("", index)]
