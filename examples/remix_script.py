"""Remixes one video from the shell: `python -m examples.remix_script video_123 "The cat takes a bow" bow.mp4`."""

import sys

from deerapi_remix import DeerAPIError, RemixClient


def main(video_id: str, prompt: str, path: str) -> str:
    """Save the remix; a line for the user."""
    try:
        with RemixClient() as client:
            return f"saved {client.remix_to_file(video_id, path, prompt=prompt)}"
    except DeerAPIError as error:
        if error.video is not None:
            return f"not saved, but paid: go on with {error.video.id}: {error}"
        if error.may_have_been_charged:
            return f"not saved, and perhaps paid: look at your usage first: {error}"
        return f"not saved, and not paid: {error}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
