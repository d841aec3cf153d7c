"""stub"""
import secrets
def create_session_id():
    while True:
        session_id = secrets.token_urlsafe(32)
        if not session_id.startswith("-"):
            return session_id
