"""A Flask application of one page."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "hello from Flask\n"
