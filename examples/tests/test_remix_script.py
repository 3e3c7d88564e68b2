"""The script, tested with unittest alone: `python -m unittest examples.tests.test_remix_script`."""

# ruff: noqa: PT009
import tempfile
import unittest
from pathlib import Path

from deerapi_remix.testing import mock_deerapi

from ..remix_script import main

PROMPT = "The cat takes a bow"


class RemixScriptTest(unittest.TestCase):
    def setUp(self) -> None:
        self.deerapi = self.enterContext(mock_deerapi())
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.path = Path(folder) / "bow.mp4"

    def test_the_remix_is_saved(self) -> None:
        self.assertEqual(main("video_123", PROMPT, str(self.path)), f"saved {self.path}")
        self.assertEqual([request.body for request in self.deerapi.sent("remix")], [{"prompt": PROMPT}])
        self.assertTrue(self.path.exists())

    def test_a_refused_key_costs_nothing(self) -> None:
        self.deerapi.answers("remix", 401)
        self.assertRegex(main("video_123", PROMPT, str(self.path)), "^not saved, and not paid: .*401")

    def test_a_lost_answer_is_perhaps_paid(self) -> None:
        self.deerapi.answer_lost()
        self.assertRegex(main("video_123", PROMPT, str(self.path)), "^not saved, and perhaps paid: ")

    def test_a_job_that_never_ends_can_be_gone_on_with(self) -> None:
        self.deerapi.stuck()
        self.assertRegex(main("video_123", PROMPT, str(self.path)), "^not saved, but paid: go on with video_")
