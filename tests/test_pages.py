"""What all pages have in common."""

import re

import pytest

HEADER = {"Gallery": "/", "Draw": "/draw/", "How good is it?": "/model/", "API": "/api/"}


@pytest.mark.parametrize("path", HEADER.values())
def test_every_page_leads_to_the_others_and_marks_itself(client, path):
    page = client.get(path).content.decode()
    [header] = re.findall("<header.*?</header>", page, re.DOTALL)
    links = re.findall('<a href="([^"]*)"( aria-current="page")?>([^<]*)</a>', header)
    assert {name: link for link, _, name in links} == HEADER
    assert [link for link, current, _ in links if current] == [path]
    [footer] = re.findall("<footer.*?</footer>", page, re.DOTALL)
    assert 'href="/model/"' in footer
