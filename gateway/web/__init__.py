"""The screens, one module each; `respond` turns a Screen and a Device into an HTTP response."""
