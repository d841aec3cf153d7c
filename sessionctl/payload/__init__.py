"""Reading serialized payloads without running them: each module gives values that JSON can hold."""
