"""The report as text and in a browser."""

from __future__ import annotations

import base64
import shutil
from datetime import datetime
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from ecgclf.datasets import Recording, detect_r_peaks, make_record, read_recording
from ecgclf.persistence import card_facts
from ecgclf.recordings import AnnotatedRecording
from ecgclf.recordings._report import duration, figure

FIGURES = {
    **{"beats.all": 0, "heart_rate.mean": 0, "heart_rate.lowest": 0, "pauses.count": 0},
    **{"S.count": 0, "V.burden_percent": 2, "V.per_hour": 1, "S.singles": 0, "V.couplets": 0},
    **{"V.runs": 0, "V.fastest_run": 0, "V.bigeminy": 0, "beats.N": 0, "beats.F": 0},
    **{"hrv.sdnn_ms": 1, "hrv.rmssd_ms": 1, "hrv.pnn50_percent": 1, "hrv.nn_intervals": 0},
}


@pytest.fixture(scope="module")
def annotated(tmp_path_factory) -> AnnotatedRecording:
    """Five minutes with S and V beats, runs, a pause and a gap, as a model may label them."""
    folder = tmp_path_factory.mktemp("record")
    record = read_recording(make_record(folder, "night", duration=300, random_state=3))
    signal = record.signal.copy()
    signal[:, 20_000:30_000] = np.nan
    recording = Recording(
        signal, 360, leads=["MLII", "<V1>"], name="night", start=datetime(2024, 3, 1, 23, 58)
    )
    with pytest.warns(UserWarning, match="unreadable"):
        sample, unreadable = detect_r_peaks(signal, 360, return_unreadable=True)
    sample = np.delete(sample, [80, 81])
    label = np.resize(list("NNNNSNNVNVNVNNVVVNNVVNSSNF"), len(sample))
    confidence = np.linspace(0.5, 1, len(sample))
    probability = {c: np.where(label == c, confidence, (1 - confidence) / 4) for c in "NSVFQ"}
    beats = pd.DataFrame(
        {"time": sample / 360, "sample": sample, "label": label, **probability, "quality": 1.0}
    )
    return AnnotatedRecording(
        recording,
        beats.assign(uncertain=False),
        unreadable,
        0,
        recording.n_samples,
        leads=("MLII", "<V1>"),
        model="mitbih-small",
        classes=tuple("NSVFQ"),
    )


@pytest.fixture(scope="module")
def report(annotated, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    return annotated.to_html(path)


class Page(HTMLParser):
    """Figures, links and elements of a page, which must be closed in order."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.figures: dict[str, str] = {}
        self.attributes: list[tuple[str, str, str]] = []
        self.figure: str | None = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.figure = dict(attrs).get("data-figure")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.figure = None

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        if self.figure:
            self.figures[self.figure] = data


@pytest.fixture(scope="module")
def page(report) -> Page:
    return Page(report.read_text(encoding="utf-8"))


def expected(summary: dict) -> dict[str, str]:
    values = {}
    for name, digits in FIGURES.items():
        group, _, key = name.partition(".")
        values[name] = figure(summary[group][key], digits)
    return values


def test_figures_are_those_of_the_summary(page, annotated):
    assert page.open == []
    found = {name: page.figures[name] for name in FIGURES}
    assert found == expected(annotated.summary)
    assert found["V.runs"] != "0"
    assert page.figures["analysed_s"] == duration(annotated.summary["analysed_s"])


def test_nothing_is_loaded_from_elsewhere(page):
    sources = [value for _, name, value in page.attributes if name in ("src", "href", "action")]
    assert all(value.startswith(("#", "data:,")) for value in sources)
    names = {value for _, name, value in page.attributes if name == "id"}
    targets = [value[1:] for value in sources if value[0] == "#" and value[:3] != "#t="]
    assert set(targets) <= names


def test_report_states_the_model_its_figures_and_its_limits(report):
    text = report.read_text(encoding="utf-8")
    assert text.count("ot a medical device") >= 2
    card = card_facts("mitbih-small")
    assert card["split"] in text
    assert all(f">{row['figure']}<" in text for row in card["figures"])
    assert "&lt;V1&gt;" in text
    assert "<V1>" not in text


def test_times_of_the_next_day_are_marked(report):
    assert "00:00:00 (day 2)" in report.read_text(encoding="utf-8")


def test_report_without_ectopic_beats_and_of_an_unknown_model(annotated, tmp_path):
    beats = annotated.beats.assign(label="N")
    plain = AnnotatedRecording(**{**vars_of(annotated), "beats": beats, "model": "own.ecgclf"})
    text = plain.to_html(tmp_path / "plain.html", full_disclosure=False).read_text(
        encoding="utf-8"
    )
    assert "own.ecgclf</b> is not a model of this package" in text
    assert "disclosure-data" not in text.split("<script>")[0]


def test_report_without_beats(annotated, tmp_path):
    empty = AnnotatedRecording(**{**vars_of(annotated), "beats": annotated.beats[:0]})
    assert Page(empty.to_html(tmp_path / "empty.html").read_text()).figures["beats.all"] == "0"


def vars_of(annotated: AnnotatedRecording) -> dict:
    names = ["recording", "beats", "unreadable", "start", "stop", "leads", "model", "classes"]
    return {name: getattr(annotated, name) for name in names}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(85_260, "23 h 41 min"), (3600, "1 h"), (63, "1 min 3 s"), (0.2, "0 s"), (35, "35 s")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


# --- in a browser ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(report):
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    places = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in places:
        pytest.skip("needs chromium and chromedriver, as in Debian's chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = places[0]
    off = [f"disable-{part}" for part in ("background-networking", "component-update", "sync")]
    still = "force-prefers-reduced-motion"
    for argument in ("headless=new", "no-sandbox", "disable-gpu", still, *off):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(places[1]))
    driver.get(report.as_uri())
    wait_for(driver, "return document.documentElement.dataset.disclosure === 'ready'")
    yield driver
    driver.quit()


def wait_for(browser, script: str) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(browser, 120).until(lambda driver: driver.execute_script(script))


def test_page_loads_without_errors_and_requests(browser):
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_shown_figures_are_those_of_the_summary(browser, annotated):
    shown = browser.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('[data-figure]')]"
        ".map((node) => [node.dataset.figure, node.innerText]))"
    )
    assert {name: shown[name] for name in FIGURES} == expected(annotated.summary)


def test_links_lead_to_their_sections(browser):
    for link in browser.find_elements("css selector", "nav a"):
        browser.execute_script("arguments[0].click()", link)
        section = link.get_attribute("href").partition("#")[2]
        wait_for(
            browser,
            "const box = document.querySelector(location.hash).getBoundingClientRect();"
            f"return location.hash === '#{section}' && box.top < innerHeight && box.bottom > 0",
        )


def test_keys_find_the_next_beat_of_a_class(browser, annotated):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    times = annotated.beats.loc[annotated.beats["label"] == "V", "time"].tolist()
    start = pd.Timestamp(annotated.recording.start)

    def output_of(time: float) -> str:
        row = (start + pd.Timedelta(time // 60, "min")).strftime("%H:%M:00")
        return f"V: row {row}, second {int(time % 60)}"

    output = browser.find_element("id", "found")
    keyboard = ActionChains(browser)
    for time in times[:2]:
        keyboard.send_keys("v").perform()
        assert output.text == output_of(time)
    keyboard.key_down(Keys.SHIFT).send_keys("v").key_up(Keys.SHIFT).perform()
    assert output.text == output_of(times[0])


def test_a_time_in_the_link_marks_its_row(browser):
    browser.execute_script("location.hash = '#t=130'")
    wait_for(browser, "return document.querySelectorAll('.row')[2].classList.contains('here')")
    drawn = (
        "const canvas = document.querySelector('.here canvas');"
        "return canvas.width > 0 && canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0)"
    )
    wait_for(browser, drawn)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1100])
def test_page_fits_its_width_in_both_schemes(browser, width, scheme):
    feature = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": feature})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wait_for(browser, f"return document.documentElement.scrollWidth <= {width}")
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_page_prints_without_full_disclosure(browser):
    pages = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    assert base64.b64decode(pages["data"]).startswith(b"%PDF")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    display = "return getComputedStyle(document.getElementById('disclosure')).display"
    assert browser.execute_script(display) == "none"
