"""Saves rows."""

import logging

logger = logging.getLogger(__name__)


def save(db, row):
    db.add(row)
    try:
        db.flush()
    except IntegrityError:
        db.rollback()
        logger.exception("not saved")
        raise
