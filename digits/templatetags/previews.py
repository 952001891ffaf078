"""What templates need for the preview that is shown where someone links to a page."""

from django import template
from django.template.context import RequestContext
from django.templatetags.static import static

register = template.Library()


@register.simple_tag(takes_context=True)
def absolute_static(context: RequestContext, path: str) -> str:
    """The whole address of a static file: other sites, which show it, can follow no relative one."""
    return context["request"].build_absolute_uri(static(path))
