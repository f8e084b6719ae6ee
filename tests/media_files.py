"""Small real files of every kind a terminal may send, made by the codecs themselves."""

import io
import wave
from functools import cache

import av
import cv2
import numpy as np

from tests.edge.detect.scripted import street


@cache
def tif() -> bytes:
    return cv2.imencode(".tif", street())[1].tobytes()


@cache
def jpg() -> bytes:
    return cv2.imencode(".jpg", street())[1].tobytes()


@cache
def wav() -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((np.sin(np.arange(8000) / 9) * 9000).astype("<i2").tobytes())
    return made.getvalue()


@cache
def mp3(*, with_tags: bool = True) -> bytes:
    made = io.BytesIO()
    options = {} if with_tags else {"id3v2_version": "0", "write_xing": "0"}
    with av.open(made, "w", format="mp3", options=options) as out:
        stream = out.add_stream("libmp3lame", rate=16_000)
        sound = (np.sin(np.arange(16_000) / 9) * 9000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(sound, format="s16p", layout="mono")
        frame.sample_rate = 16_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            out.mux(packet)
    return made.getvalue()


@cache
def film(kind: str) -> bytes:
    """`kind`: "asf" for WMV, "mp4"."""
    made = io.BytesIO()
    codec = {"asf": "wmv2", "mp4": "mpeg4"}[kind]
    with av.open(made, "w", format=kind) as out:
        stream = out.add_stream(codec, rate=5)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for _ in range(5):
            picture = cv2.resize(street(), (320, 180))
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)
    return made.getvalue()


def files() -> dict[str, bytes]:
    return {
        "image/jpeg": jpg(),
        "image/tiff": tif(),
        "audio/mpeg": mp3(),
        "audio/wav": wav(),
        "video/x-ms-wmv": film("asf"),
        "video/mp4": film("mp4"),
    }
