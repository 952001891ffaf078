"""The root route map; every route is in digits/urls.py."""

from django.urls import include, path

urlpatterns = [path("", include("digits.urls"))]

handler400 = "digits.errors.bad_request"
handler404 = "digits.errors.not_found"
handler500 = "digits.errors.server_error"
