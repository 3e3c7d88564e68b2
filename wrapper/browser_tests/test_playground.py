"""The playground, as a person uses it."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .conftest import Mock, Visit

SIZES = pytest.mark.parametrize("width", [390, 1280])
SCHEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
PROMPT = "Extend the scene with the cat taking a bow to the cheering audience"


def execute(page: Page, operation: str) -> Locator:
    """Opens an operation, sends the request as it is proposed, and gives the answer as it is shown."""
    block = page.locator(".opblock").filter(has_text=operation)
    block.get_by_role("button").first.click()
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table")
    expect(answer).to_be_visible()
    return answer


def jobs(page: Page) -> Locator:
    return page.get_by_role("region", name="Jobs").locator(".job")


def submit(url: str) -> str:
    answer = httpx.post(
        f"{url}/v1/videos/video_123/remix",
        json={"prompt": "cry"},
        headers={"Authorization": "Bearer any"},
        trust_env=False,
    )
    job_id: str = answer.json()["id"]
    return job_id


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["desktop", "phone"])
def test_a_remix_is_sent_answered_followed_and_played(mock: Mock, visit: Visit, width: int, dark: bool) -> None:
    page = visit(mock("--render-seconds", "5"), width, dark=dark)
    expect(page.get_by_text("No remix yet.")).to_be_visible()
    answer = execute(page, "Remix a completed video")
    expect(answer.locator(".response-col_status").last).to_have_text("200")
    expect(answer).to_contain_text('"status": "queued"')

    job = jobs(page).first
    expect(job).to_contain_text(PROMPT)
    expect(job.get_by_role("status")).to_have_text("in progress")
    expect(job.get_by_role("progressbar", name=re.compile("^Progress of video_"))).to_be_visible()
    expect(job.get_by_role("button")).to_be_hidden()
    expect(page.get_by_text("No remix yet.")).to_be_hidden()

    expect(job.get_by_role("status")).to_have_text("completed")
    job.get_by_role("button", name=re.compile("^Play video_")).press("Enter")
    video = job.locator("video")
    expect(video).to_be_focused()
    video.evaluate("video => new Promise((done) => { video.ontimeupdate = () => video.currentTime > 0.5 && done(); })")
    assert video.evaluate("video => [video.readyState >= 3, video.videoWidth, video.videoHeight]") == [True, 1280, 720]
    video.evaluate("video => new Promise((done) => { video.onseeked = () => done(); video.currentTime = 3; })")
    assert 3 <= video.evaluate("video => video.currentTime") < 4


def test_the_answer_names_the_job_that_is_followed(mock: Mock, visit: Visit) -> None:
    url = mock()
    page = visit(url)
    shown = execute(page, "Remix a completed video").inner_text()
    (job_id,) = re.findall(r'"id": "(video_[0-9a-f]+)"', shown)
    expect(jobs(page).first.locator(".id")).to_have_text(job_id)
    assert f"{url}/v1/videos/video_123/remix" in page.locator(".request-url").inner_text()


def test_without_a_key_the_answer_is_401_and_there_is_no_job(mock: Mock, visit: Visit) -> None:
    page = visit(mock())
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_role("button", name="Remove authorization").click()
    page.get_by_role("button", name="Close").last.click()
    answer = execute(page, "Remix a completed video")
    expect(answer.locator(".response-col_status").last).to_have_text("401")
    expect(answer).to_contain_text("Invalid token")
    expect(page.get_by_text("Requests (1)")).to_be_visible()
    expect(jobs(page)).to_have_count(1)


def test_a_first_remix_is_one_click(mock: Mock, visit: Visit) -> None:
    page = visit(mock("--render-seconds", "0"))
    page.get_by_role("button", name="Send a first remix").click()
    expect(jobs(page).first).to_contain_text("The cat takes a bow")
    expect(jobs(page).first.get_by_role("status")).to_have_text("completed")
    expect(page.get_by_role("button", name="Send a first remix")).to_be_hidden()


@SIZES
def test_the_documented_answers_are_folded_until_they_are_asked_for(mock: Mock, visit: Visit, width: int) -> None:
    page = visit(mock(), width)
    block = page.locator(".opblock").filter(has_text="Remix a completed video")
    block.get_by_role("button").first.click()
    documented = block.locator("tr.response[data-code='429']")
    expect(block.get_by_role("button", name="Execute")).to_be_visible()
    expect(documented).to_be_hidden()
    box = block.bounding_box()
    assert box is not None
    assert box["height"] < 1_200
    block.get_by_role("button", name="Show the documented answers").click()
    expect(documented).to_be_visible()
    block.get_by_role("button", name="Hide the documented answers").click()
    expect(documented).to_be_hidden()


@SCHEMES
def test_no_line_stands_at_the_side_of_authorize(mock: Mock, visit: Visit, dark: bool) -> None:
    page = visit(mock(), dark=dark)
    expect(page.locator(".scheme-container")).to_have_css("box-shadow", "none")


@SIZES
def test_the_licence_is_not_alone_on_its_line(mock: Mock, visit: Visit, width: int) -> None:
    page = visit(mock(), width)
    boxes = [page.locator(place).bounding_box() for place in (".info__license a", ".info .main > a")]
    licence, link = (box for box in boxes if box)
    assert abs(licence["y"] - link["y"]) < 10


def test_every_operation_can_be_tried(mock: Mock, visit: Visit) -> None:
    page = visit(mock())
    for operation in ("Retrieve a video job", "List the models"):
        expect(execute(page, operation).locator(".response-col_status").last).to_have_text("200")
    film = execute(page, "Download a completed video").locator("video")
    film.evaluate("video => video.play()")
    assert film.evaluate("video => video.videoWidth") == 1280


def test_a_job_that_was_sent_from_elsewhere_is_seen_and_says_why_it_failed(mock: Mock, visit: Visit) -> None:
    url = mock("--render-seconds", "1", "--fail-rate", "1")
    page = visit(url)
    submit(url)
    job = jobs(page).first
    expect(job.get_by_role("status")).to_have_text("failed")
    expect(job).to_contain_text("The video could not be generated.")
    expect(job.get_by_role("button")).to_be_hidden()


def test_a_prompt_is_shown_as_the_text_it_is(mock: Mock, visit: Visit) -> None:
    url = mock()
    page = visit(url)
    prompt = "<img src=x onerror=alert(1)><b>bold</b>"
    headers = {"Authorization": "Bearer any"}
    httpx.post(f"{url}/v1/videos/video_123/remix", json={"prompt": prompt}, headers=headers, trust_env=False)
    expect(jobs(page).first.locator(".prompt")).to_have_text(prompt)


def test_a_reset_leaves_the_source_alone(mock: Mock, visit: Visit) -> None:
    url = mock()
    submit(url)
    page = visit(url)
    expect(jobs(page)).to_have_count(2)
    page.get_by_role("button", name="Forget all jobs and requests").click()
    expect(jobs(page)).to_have_count(1)
    expect(page.get_by_text("Requests (0)")).to_be_visible()


def test_the_latest_requests_are_listed(mock: Mock, visit: Visit) -> None:
    url = mock()
    submit(url)
    page = visit(url)
    page.get_by_text("Requests (1)").click()
    expect(page.locator("#requests")).to_have_text("200 POST /v1/videos/video_123/remix")


@SIZES
@SCHEMES
def test_nothing_runs_over_the_side(mock: Mock, visit: Visit, width: int, dark: bool) -> None:
    url = mock("--render-seconds", "0")
    submit(url)
    page = visit(url, width, dark=dark)
    for operation in ("Remix a completed video", "Retrieve a video job", "Download a completed video", "List the"):
        execute(page, operation)
    assert page.evaluate("document.documentElement.scrollWidth") == width


# Of each text, the ratio of luminances as WCAG 2 defines it.
CONTRAST = """elements => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour)
      .map((c) => c / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (element) => {
    let behind = element;
    while (behind && parts(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const text = light(getComputedStyle(element).color);
    const back = light(getComputedStyle(behind ?? document.body).backgroundColor);
    return (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
  };
  return elements.filter((each) => each.checkVisibility() && each.textContent.trim())
    .map((each) => [each.textContent, ratio(each)]);
}"""


@SCHEMES
def test_the_text_stands_out_from_what_is_behind_it(mock: Mock, visit: Visit, dark: bool) -> None:
    url = mock("--render-seconds", "0", "--fail-rate", "0.5", "--seed", "1")
    for _ in range(6):
        submit(url)
    page = visit(url, dark=dark)
    expect(jobs(page)).to_have_count(7)
    execute(page, "Remix a completed video")
    assert page.evaluate("document.documentElement.classList.contains('dark-mode')") is dark
    ours = "h1, h2, header p, .status, .model, .prompt, .error, .id, .play, summary, #reset"
    theirs = ".curl-command code span, .highlight-code code span, td.header-col"
    seen = page.locator(f"{ours}, {theirs}").evaluate_all(CONTRAST)
    assert len(seen) > 80
    assert [(text, ratio) for text, ratio in seen if ratio < 4.5] == []


def test_a_mock_that_is_gone_is_said_and_forgotten_when_it_is_back(mock: Mock, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(mock())
    expect(jobs(page)).to_have_count(1)
    page.context.set_offline(True)
    expect(page.get_by_role("alert")).to_have_text("The mock does not answer. Is it still running?")
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_be_hidden()
    page.close()


def test_a_page_of_another_origin_can_neither_read_nor_reset(mock: Mock, browser: Browser) -> None:
    url = mock()
    submit(url)
    page = browser.new_page()
    page.goto("about:blank")
    assert page.evaluate(
        """url => Promise.allSettled([
          fetch(`${url}/_mock/state`),
          fetch(`${url}/_mock/reset`, {method: "POST", mode: "no-cors"}),
          fetch(`${url}/v1/videos/video_123/remix`, {
            method: "POST", headers: {Authorization: "Bearer any", "Content-Type": "application/json"},
            body: '{"prompt": "x"}',
          }),
        ]).then((all) => all.map((one) => one.value?.type ?? one.status))""",
        url,
    ) == ["rejected", "rejected", "rejected"]
    page.close()
    assert len(httpx.get(f"{url}/_mock/state", trust_env=False).json()["jobs"]) == 2


def test_a_strangers_name_for_this_machine_shows_nothing(mock: Mock, browser: Browser) -> None:
    url = mock()
    page = browser.new_page()
    answer = page.goto(url.replace("127.0.0.1", "evil.example"))
    assert answer is not None
    assert answer.status == 403
    page.close()
