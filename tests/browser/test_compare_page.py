"""Two traces on one page: what is drawn in one is selected in both, and sources have one colour."""

import pytest
from playwright.sync_api import expect

import ktviz as kt
from browser.explorer_driver import ExplorerDriver


@pytest.fixture
def page(tab, world, paint, tmp_path):
    photo = paint(3, 96, 128)
    one, other = world.translator.traced(photo), world.translator.traced(paint(4, 48, 64), align=0)
    with kt.Compare(one, other, titles=["one", "half as large"]) as both:
        both.to_html(tmp_path / "both.html")
    page = tab(width=1200)
    page.goto((tmp_path / "both.html").as_uri())
    expect(page.locator(".kt-matrix table")).to_be_visible()
    return page


def column(page, number):
    driver = ExplorerDriver(page)
    driver.root = page.locator(".kt-compared .kt-view").nth(number)
    return driver.settled()


def shares(page):
    """Percentages of the table by source and column."""
    rows = page.locator(".kt-matrix tbody tr")
    return {
        row.locator("th").inner_text().strip(): row.locator(".kt-number").all_inner_texts()
        for row in rows.all()
        if row.locator(".kt-number").count() == 2
    }


def test_what_is_drawn_in_one_is_selected_in_both(page):
    whole = shares(page)
    assert whole
    expect(page.get_by_text("Shares of the whole picture")).to_be_visible()
    picture = page.locator(".kt-compared").nth(1).locator("canvas.kt-picture").first
    box = picture.bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.25 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"], steps=4)
    page.mouse.up()
    expect(page.get_by_text("Shares of the selection")).to_be_visible()
    for number in range(2):
        expect(column(page, number).find(".kt-sources")).to_contain_text("Of the selection")
    assert shares(page) != whole
    page.locator(".kt-compared").nth(0).locator(".kt-clear").click()
    expect(page.get_by_text("Shares of the whole picture")).to_be_visible()
    assert shares(page) == whole


def test_a_source_of_the_table_is_selected_in_both_and_has_one_colour(page):
    row = page.locator(".kt-matrix tbody tr").first
    name = row.locator("th").inner_text().strip()
    row.locator("button").click()
    for number in range(2):
        expect(column(page, number).find(".kt-sources")).to_contain_text("100 %")
    chips = page.locator(".kt-name", has_text=name).locator(".kt-chip")
    colours = chips.evaluate_all("all => [...new Set(all.map(one => one.style.background))]")
    assert len(colours) == 1
    row.locator("button").click()
    expect(page.get_by_text("Shares of the whole picture")).to_be_visible()


def test_inputs_are_shown_when_they_are_asked_for(page, axe):
    expect(page.get_by_text("Input", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Show inputs").click()
    expect(page.get_by_text("Input", exact=True)).to_have_count(2)
    page.evaluate(axe)
    found = page.evaluate("axe.run(document.querySelector('.kt-compare'), {runOnly: ['wcag2a', 'wcag2aa']})")
    assert [one["id"] for one in found["violations"]] == []
