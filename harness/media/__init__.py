"""Reading, writing and describing videos, through FFmpeg."""
