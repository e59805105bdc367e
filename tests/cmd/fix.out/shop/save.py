"""Saves rows."""

import logging

from sqlalchemy.exc import IntegrityError

logger = logging.getLogger(__name__)


def save(db, row):
    db.add(row)
    try:
        db.flush()
    except IntegrityError:
        db.rollback()
        logger.exception("not saved")
        raise
