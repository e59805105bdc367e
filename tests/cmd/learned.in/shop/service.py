from sqlalchemy.orm import Session

from shop.models import Order, now


def ship(db: Session, order_id: int, user):
    order = db.get(Order, order_id)
    order.status = "shipped"
    order.last_changed_on = now()
    order.changed_for(user.name)
    db.commit()


def close(db: Session, order_id: int, user):
    order = db.get(Order, order_id)
    order.status = "closed"
    order.last_changed_on = now()
    order.changed_for(user.name)
    db.commit()


def reopen(db: Session, order_id: int, user):
    order = db.get(Order, order_id)
    order.status = "open"
    order.last_changed_on = now()
    db.commit()
