from datetime import datetime, timezone

from sqlalchemy import Column, DateTime, Integer, String
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id = Column(Integer, primary_key=True)
    status = Column(String(20))
    opened_on = Column(DateTime(timezone=True))
    last_changed_on = Column(DateTime(timezone=True))
    last_changed_user = Column(String(80))
    archived_at = Column(DateTime(timezone=True))

    def changed_for(self, who):
        self.last_changed_user = who


def now():
    return datetime.now(timezone.utc)
