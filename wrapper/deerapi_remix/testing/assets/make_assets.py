"""Draws the files that the fake serves: a cat takes a bow on a stage.

Run `python make_assets.py [folder]`; it needs PyAV. The same PyAV writes the same bytes.
"""

import math
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.video.stream import VideoStream

WIDTH, HEIGHT = 1280, 720
FPS, FRAMES = 24, 96
OVERSAMPLING = 2
"""Shapes have hard edges; scaling the picture down smooths them."""

Colour = tuple[int, int, int]
Shading = Callable[[float], Colour]
"""The colour of a line of pixels, by its height on the canvas."""


def flat(colour: Colour) -> Shading:
    return lambda _: colour


def fade(top: Colour, bottom: Colour, start: float = 0, end: float = HEIGHT) -> Shading:
    def shade(y: float) -> Colour:
        part = min(max((y - start) / (end - start), 0), 1)
        red, green, blue = (round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True))
        return red, green, blue

    return shade


class Canvas:
    """RGB pixels, filled line by line; coordinates are those of the finished picture."""

    def __init__(self, picture: bytes | None = None) -> None:
        self.width, self.height = WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING
        self.pixels = bytearray(picture or self.width * self.height * 3)

    def fill(
        self, top: float, bottom: float, shade: Shading, spans: Callable[[float], list[float]]
    ) -> None:
        """Fills each line from `top` to `bottom` between the pairs of positions in `spans`."""
        for row in range(
            max(round(top * OVERSAMPLING), 0), min(round(bottom * OVERSAMPLING), self.height)
        ):
            y = (row + 0.5) / OVERSAMPLING
            ends = [min(max(round(x * OVERSAMPLING), 0), self.width) for x in spans(y)]
            for left, right in zip(ends[::2], ends[1::2], strict=True):
                if left < right:
                    start = (row * self.width + left) * 3
                    self.pixels[start : start + (right - left) * 3] = bytes(shade(y)) * (
                        right - left
                    )

    def ellipse(self, x: float, y: float, rx: float, ry: float, shade: Shading) -> None:
        def spans(line: float) -> list[float]:
            reach = rx * math.sqrt(max(1 - ((line - y) / ry) ** 2, 0))
            return [x - reach, x + reach]

        self.fill(y - ry, y + ry, shade, spans)

    def polygon(self, points: list[tuple[float, float]], shade: Shading) -> None:
        edges = list(zip(points, points[1:] + points[:1], strict=True))

        def spans(line: float) -> list[float]:
            return sorted(
                x1 + (line - y1) * (x2 - x1) / (y2 - y1)
                for (x1, y1), (x2, y2) in edges
                if (y1 <= line) != (y2 <= line)
            )

        heights = [y for _, y in points]
        self.fill(min(heights), max(heights), shade, spans)

    def stroke(self, points: list[tuple[float, float]], radius: float, shade: Shading) -> None:
        for x, y in points:
            self.ellipse(x, y, radius, radius, shade)

    def frame(self) -> av.VideoFrame:
        large = rgb_frame(self.pixels, self.width, self.height)
        return large.reformat(WIDTH, HEIGHT, format="yuv420p", interpolation="AREA")


def rgb_frame(pixels: bytes | bytearray, width: int, height: int) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, "rgb24")
    if frame.planes[0].line_size != width * 3:
        raise ValueError("lines of pixels are padded unless the width is a multiple of 64")
    frame.planes[0].update(bytes(pixels))
    return frame


def stage() -> bytes:
    """What does not move: wall, spotlight, floor and curtains."""
    canvas = Canvas()
    canvas.fill(0, HEIGHT, fade((24, 18, 58), (78, 34, 92)), lambda _: [0, WIDTH])
    canvas.polygon(
        [(590, 0), (690, 0), (960, 560), (320, 560)], fade((96, 74, 150), (150, 92, 140), 0, 560)
    )
    canvas.fill(560, HEIGHT, fade((124, 68, 58), (58, 28, 44), 560), lambda _: [0, WIDTH])
    canvas.ellipse(640, 585, 330, 44, fade((236, 176, 120), (206, 136, 100), 541, 629))
    for fold in range(6):
        light = (1, 0.8, 0.6, 0.75, 0.95, 0.7)[fold]
        top, bottom = (
            (round(120 * light), round(14 * light), round(40 * light)),
            (round(196 * light), 24, 56),
        )
        for left in (fold * 36, WIDTH - (fold + 1) * 36):
            hem = 600 + 10 * math.cos(fold * 2.1)
            canvas.polygon(
                [(left, 0), (left + 36, 0), (left + 36, hem), (left, hem)], fade(top, bottom)
            )
    for swag in range(8):
        canvas.ellipse(80 + swag * 160, 0, 84, 66, fade((150, 18, 48), (214, 40, 70), 0, 66))
        canvas.ellipse(80 + swag * 160, 0, 84, 52, fade((110, 12, 38), (172, 26, 58), 0, 52))
    return bytes(canvas.pixels)


FUR, CREAM, PINK, DARK = (246, 156, 64), (255, 226, 180), (240, 120, 120), (46, 26, 40)


def cat(canvas: Canvas, bow: float, time: float) -> None:
    """The cat, upright at `bow` 0 and bent over at 1."""
    fur = fade((255, 178, 84), (232, 132, 48), 260, 590)
    swing = math.sin(time * math.tau / 2)
    tail = [
        (560 - 90 * math.sin(s * 1.7) - 14 * swing * s, 560 - 190 * s**1.3)
        for s in (i / 24 for i in range(25))
    ]
    canvas.stroke(tail, 17, fur)
    canvas.ellipse(640, 500, 92, 90, fur)
    for side in (-1, 1):
        canvas.ellipse(640 + side * 58, 576, 42, 18, fur)
        canvas.ellipse(640 + side * 62, 580, 26, 10, flat(CREAM))
    lean, sink = 40 * bow, 74 * bow
    canvas.ellipse(640 + lean / 2, 470 + sink / 3, 74, 84, fur)
    canvas.ellipse(640 + lean / 2, 500 + sink / 4, 46, 58, flat(CREAM))
    arm = [
        (590 + lean * i / 8 - 46 * (1 - bow) * i / 8 + 60 * bow * i / 8, 455 + sink / 2 + i * 8)
        for i in range(9)
    ]
    canvas.stroke(arm, 16, fur)
    reach = [
        (690 + lean * i / 8 + 74 * i / 8, 455 + sink / 2 + (40 - 76 * bow) * i / 8)
        for i in range(9)
    ]
    canvas.stroke(reach, 16, fur)
    bow_tie(canvas, 640 + lean, 436 + sink)
    head(canvas, 640 + lean, 350 + sink, bow, fur)


def head(canvas: Canvas, x: float, y: float, bow: float, fur: Shading) -> None:
    for side in (-1, 1):
        ear = [(x + side * 88, y - 16), (x + side * 76, y - 108), (x + side * 18, y - 66)]
        canvas.polygon(ear, fur)
        canvas.polygon(
            [(x + side * 76, y - 36), (x + side * 70, y - 86), (x + side * 36, y - 60)], flat(PINK)
        )
    canvas.ellipse(x, y, 96, 80, fur)
    for stripe in (-1, 0, 1):
        canvas.ellipse(x + stripe * 24, y - 62 + abs(stripe) * 6, 6, 18, flat((206, 104, 36)))
    look = y + 16 * bow
    canvas.ellipse(x, look + 32, 46, 32, flat(CREAM))
    for side in (-1, 1):
        openness = max(1 - 1.6 * bow, 0.14)
        canvas.ellipse(x + side * 40, look - 4, 14, 18 * openness, flat(DARK))
        if openness > 0.6:
            canvas.ellipse(x + side * 40 + 5, look - 10, 4, 5, flat((255, 255, 255)))
        canvas.ellipse(x + side * 66, look + 22, 13, 8, flat(PINK))
    canvas.polygon([(x - 10, look + 14), (x + 10, look + 14), (x, look + 25)], flat((214, 84, 96)))
    for side in (-1, 1):
        smile = [
            (x + side * (2 + 20 * s), look + 28 + 12 * math.sin(s * math.pi))
            for s in (i / 12 for i in range(13))
        ]
        canvas.stroke(smile, 2.5, flat(DARK))


def bow_tie(canvas: Canvas, x: float, y: float) -> None:
    for side in (-1, 1):
        canvas.polygon(
            [(x, y), (x + side * 36, y - 20), (x + side * 36, y + 20)], flat((70, 130, 220))
        )
    canvas.ellipse(x, y, 10, 11, flat((40, 90, 180)))


def audience(canvas: Canvas, time: float) -> None:
    for row, (base, colour) in enumerate(((688, (44, 24, 62)), (720, (26, 14, 42)))):
        for seat in range(13 - row):
            x = 40 + seat * 100 + row * 50
            # Only some move, which keeps the file small.
            cheer = abs(math.sin(time * math.pi + seat * 2.4)) if (seat + row) % 6 == 0 else 0
            y = base - 10 * cheer
            canvas.ellipse(x, y, 34, 36, flat(colour))
            canvas.ellipse(x, y + 70, 54, 50, flat(colour))
            if (seat + row) % 3 == 0:
                for side in (-1, 1):
                    canvas.stroke(
                        [(x + side * (38 + 2 * i), y + 20 - (6 + 5 * cheer) * i) for i in range(9)],
                        8,
                        flat(colour),
                    )


def confetti(canvas: Canvas, time: float) -> None:
    colours = ((255, 209, 102), (6, 214, 160), (239, 71, 111), (76, 201, 240))
    for piece in range(9):
        fall = (time / 4 + piece * 0.381966) % 1
        x = 250 + (piece * 137.5) % 780 + 16 * math.sin(fall * 9 + piece)
        y, turn = -20 + 600 * fall, math.cos(fall * 20 + piece)
        w = 3 + 5 * abs(turn)
        canvas.polygon(
            [(x - w, y - 6), (x + w, y - 3), (x + w, y + 6), (x - w, y + 3)],
            flat(colours[piece % 4]),
        )


def frames() -> Iterator[av.VideoFrame]:
    background = stage()
    for number in range(FRAMES):
        time = number / FPS
        # Down, held for a moment, and up again.
        bow = min(max(1.25 * (0.5 - 0.5 * math.cos(time / 4 * math.tau)) - 0.1, 0), 1)
        bow = bow * bow * (3 - 2 * bow)
        canvas = Canvas(background)
        cat(canvas, bow, time)
        confetti(canvas, time)
        audience(canvas, time)
        yield canvas.frame()


def encode(
    path: Path, pictures: list[av.VideoFrame], codec: str, pixels: str, options: dict[str, str]
) -> None:
    muxer = {".mp4": {"movflags": "+faststart"}, ".jpg": {"update": "1"}, ".webp": {}}[path.suffix]
    with av.open(str(path), "w", options={**muxer, "fflags": "+bitexact"}) as output:
        options = {**options, "flags": "+bitexact", "threads": "1"}
        stream = cast(VideoStream, output.add_stream(codec, rate=FPS, options=options))
        stream.width, stream.height, stream.pix_fmt = pictures[0].width, pictures[0].height, pixels
        for number, picture in enumerate(pictures):
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))


def sheet(pictures: list[av.VideoFrame], columns: int, width: int, height: int) -> av.VideoFrame:
    """The pictures side by side, `columns` to a line."""
    tiles = [
        bytes(p.reformat(width, height, format="rgb24", interpolation="AREA").planes[0])
        for p in pictures
    ]
    line = width * 3
    pixels = b"".join(
        tile[row * line : (row + 1) * line]
        for first in range(0, len(tiles), columns)
        for row in range(height)
        for tile in tiles[first : first + columns]
    )
    return rgb_frame(pixels, width * columns, len(pixels) // (line * columns))


def main(folder: Path) -> None:
    pictures = list(frames())
    encode(
        folder / "video.mp4",
        pictures,
        "libx264",
        "yuv420p",
        {"crf": "40", "preset": "veryslow", "tune": "animation", "g": "96"},
    )
    poster = pictures[14]
    encode(
        folder / "thumbnail.webp",
        [poster.reformat(640, 360, interpolation="AREA")],
        "libwebp",
        "yuv420p",
        {"quality": "75"},
    )
    encode(
        folder / "spritesheet.jpg",
        [sheet(pictures[4::8], 4, 320, 180)],
        "mjpeg",
        "yuvj420p",
        {"qmin": "9", "qmax": "9"},
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
