"""The whole route map."""

from django.urls import path

from . import views
from .api import endpoints, inference_protocol, openapi
from .map import views as map_views

# The JSON API and the Open Inference Protocol. Clients may write a last slash or none: being redirected would lose what
# they send. They come first because Django tries one pattern after another, and programs ask the most.
urlpatterns: list = [
    path(address + slash, view)
    for address, view in [
        ("api/predict-digit", endpoints.predict_digit),
        ("api/read-number", endpoints.read_number),
        ("api/display-images", endpoints.display_images),
        ("api/model", endpoints.model),
        ("api/health/live", endpoints.health_live),
        ("api/health/ready", endpoints.health_ready),
        ("v2", inference_protocol.server_metadata),
        ("v2/health/live", inference_protocol.server_live),
        ("v2/health/ready", inference_protocol.server_ready),
        ("v2/models/digits", inference_protocol.model_metadata),
        ("v2/models/digits/ready", inference_protocol.model_ready),
        ("v2/models/digits/infer", inference_protocol.infer),
    ]
    for slash in ("/", "")
]

urlpatterns += [
    # Pages, and the fragments that htmx swaps into them.
    path("", views.gallery, name="gallery"),
    path("tiles/", views.tiles, name="tiles"),
    path("tiles/<int:index>/", views.tile, name="tile"),
    path("tiles/<int:index>/prediction/", views.predict_tile, name="predict_tile"),
    path("draw/", views.draw, name="draw"),
    path("draw/predict/", views.predict_drawing, name="predict_drawing"),
    path("draw/explain/", views.explain_drawing, name="explain_drawing"),
    path("challenge/", views.challenge, name="challenge"),
    path("map/", map_views.page_of_map, name="map"),
    path("map/place/", map_views.place_drawing, name="place_drawing"),
    path("map/<str:version>/tiles/", map_views.tiles, name="map_tiles"),
    path("map/<str:version>/sheets/<int:size>/<int:number>.png", map_views.sheet, name="map_sheet"),
    path("map/<str:version>/<str:scheme>.png", map_views.picture, name="map_picture"),
    path("draw/network/", views.network, name="network"),
    path("model/", views.model, name="model"),
    path("api/", views.api, name="api"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("api/openapi.json", openapi.description, name="openapi"),
    path("metrics", endpoints.prometheus_metrics, name="metrics"),
]

# Anything else under these gets JSON, too.
urlpatterns += [path("api/<path:rest>", endpoints.nothing), path("v2/<path:rest>", endpoints.nothing)]
