"""Keeps a number; the handler names what is not imported."""

import logging

logger = logging.getLogger(__name__)


def save(db, number):
    try:
        db.flush()
    except IntegrityError:
        db.rollback()
        logger.exception("number %s was not kept", number)
        raise
