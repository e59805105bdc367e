"""Keeps numbers; the handlers name what is not imported."""

import logging

logger = logging.getLogger(__name__)


def save(db, number):
    try:
        db.flush()
    except IntegrityError:  # trailcheck: ignore[unimported-exception] reason="gone with the port" owner=@desk until=2026-01-20
        db.rollback()
        logger.exception("number %s was not kept", number)
        raise


def drop(db, number):
    try:
        db.flush()
    except IntegrityError:  # trailcheck: ignore[unimported-exception] reason="the same" until=2026-02-01
        db.rollback()
        logger.exception("number %s was not dropped", number)
        raise
