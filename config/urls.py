"""The root route map."""

urlpatterns = []
