"""The journeys that lean most on the browser, again in Firefox.

Fingers, the dark and no JavaScript are Chromium's, and so are downloads, of which Firefox tells its driver nothing.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from .test_challenge import (  # noqa: F401
    game,
    test_a_wrong_digit_is_tried_again_and_the_card_says_so,
    test_ten_digits_are_asked_for_read_and_put_on_a_card,
)
from .test_corrections import (  # noqa: F401
    test_a_digit_that_was_read_can_be_said_to_be_another_by_the_mouse,
    test_it_is_said_by_the_keyboard,
    test_reloading_keeps_them_and_another_tab_has_none,
)
from .test_drawing_pad import (  # noqa: F401
    test_a_digit_can_be_drawn_with_the_keys,
    test_a_drawing_outlives_leaving_the_page,
    test_an_answer_is_explained_until_the_drawing_changes,
    test_clear_takes_away_everything_and_can_be_undone,
    test_the_answer_follows_the_pen_and_is_announced_when_it_is_lifted,
    test_the_eraser_takes_ink_away,
    test_undo_takes_away_the_last_stroke_and_redo_brings_it_back,
)
from .test_drawn_numbers import (  # noqa: F401
    test_a_number_in_two_lines_is_read_from_top_to_bottom,
    test_each_digit_of_a_number_is_explained,
)
from .test_gallery_page import (  # noqa: F401
    test_a_tapped_tile_shows_its_digit_in_place,
    test_generate_shows_twenty_new_tiles_and_keeps_the_focus,
)
from .test_map import (  # noqa: F401
    test_a_mouse_drags_the_map_and_its_wheel_enlarges_what_is_under_it,
    test_a_tap_on_dots_comes_closer_and_a_tap_on_a_picture_opens_it,
    test_keys_move_the_map_and_open_the_tile_in_the_middle,
    test_the_drawing_of_the_other_page_is_kept_in_this_tab,
)
from .test_network_panel import (  # noqa: F401
    test_keys_lead_through_layers_and_units_and_say_what_they_are,
    test_the_network_lights_up_while_the_pen_moves,
)
from .test_pad_files import (  # noqa: F401
    test_a_phones_photo_is_reduced_and_the_right_way_up,
    test_a_picture_file_is_put_on_the_pad_and_read,
    test_a_picture_is_sent_as_it_is_and_is_paper_to_draw_on,
)
from .test_pad_on_screens import test_a_narrow_window_shows_everything  # noqa: F401


@pytest.fixture(scope="module")
def browser(firefox: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.firefox.launch(
            channel="moz-firefox",  # speaks WebDriver BiDi, as any Firefox does; without, it must be Playwright's own
            executable_path=firefox,
            # Playwright loses sight of a page that comes back from memory.
            firefox_user_prefs={"browser.sessionhistory.max_total_viewers": 0},
        )
        yield browser
        browser.close()


def test_the_browser_is_firefox(browser):
    assert browser.browser_type.name == "firefox"
