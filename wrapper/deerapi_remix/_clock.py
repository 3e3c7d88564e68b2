"""Time, in one place, so that a test can replace it."""

import asyncio
import time

monotonic = time.monotonic
now = time.time
sleep = time.sleep
async_sleep = asyncio.sleep
