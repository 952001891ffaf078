"""FastAPI with Pillow and ONNX Runtime, for uvicorn.

A picture is read in a coroutine, and at another address in a thread of FastAPI's pool; which of them is faster, the
comparison tells.
"""

import numpy as np
from fastapi import FastAPI, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from .preparation import SIDE
from .reader import Reader

app = FastAPI()
reader = Reader.of_environment()


class Pixels(BaseModel):
    pixels: list[int]


@app.post("/predict")
async def predict(file: UploadFile) -> JSONResponse:
    return JSONResponse(reader.read_picture(await file.read()))


@app.post("/predict-in-thread")
def predict_in_thread(file: UploadFile) -> JSONResponse:
    return JSONResponse(reader.read_picture(file.file.read()))


@app.post("/predict-pixels")
async def predict_pixels(sent: Pixels) -> JSONResponse:
    return JSONResponse(reader.read_pixels(np.array(sent.pixels, np.uint8).reshape(SIDE, SIDE)))
