"""One client asks for as much as it can get; the others are answered all the same, by the server that operators run."""

import sys

import pytest

from benchmarks.overload import Result, attack

from .conftest import Site
from .corpus import ATTACKS

COSTLY = ["PNGs of noise", "JPEGs of noise", "JPEGs of 64 scans", "PNGs of 24,900 empty chunks"]


def attacked(site: Site, **options: bool) -> Result:
    port = int(site.netloc.rpartition(":")[2])
    return attack(port, [ATTACKS[name]() for name in COSTLY], connections=12, seconds=8, **options)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs a second address of loopback")
def test_nine_of_ten_predictions_of_others_are_answered_under_attack(start_site):
    result = attacked(start_site())
    assert len(result.other) >= 10
    assert result.answered >= 0.9
    refused = [answer for answer in result.attacker if answer.status == 503]
    assert refused  # or it was no attack
    assert all(answer.retry_after >= 1 for answer in refused)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs a second address of loopback")
def test_clients_behind_a_trusted_proxy_are_told_apart(start_site):
    result = attacked(start_site(DIGITS_TRUSTED_PROXIES="1"), proxied=True)
    assert len(result.other) >= 10
    assert result.answered >= 0.9
