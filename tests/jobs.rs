//! jobs: which figures, pages, rows and actors of jobs are told of, and what keeps them from it.

use crate::small::scanned::scanned;

/// The lines on which a rule finds something in a module.
fn lines(rule: &str, text: &str) -> Vec<u32> {
    let scan = scanned(&[("jobs.py", text)], &[]);
    let findings =
        scan.files.iter().flat_map(|file| file.findings.iter().map(move |finding| (file, finding)));
    let of_rule = findings.filter(|(_, finding)| finding.rule == rule);
    of_rule.map(|(file, finding)| file.source.line(finding.place.span.start)).collect()
}

/// What is told of a function that is handed `rows`, with `figure(rows)` that may answer `None`.
fn compared(body: &str) -> Vec<u32> {
    let text = format!(
        "from django.db.models import Count, Max, Sum\nfrom django.db.models.functions import Coalesce\n\
         def figure(rows):\n    if not rows:\n        return None\n    return len(rows)\n\
         def pair(rows):\n    if not rows:\n        return None, 0\n    return 1, len(rows)\n\
         def check(rows, table, most):\n{body}"
    );
    lines("unguarded-none-metric", &text).into_iter().map(|line| line - 11).collect()
}

#[test]
fn a_figure_that_nothing_looks_at_is_told() {
    for body in [
        "    return figure(rows) > 3\n",
        "    value = figure(rows)\n    return value > 3\n",
        "    value = figure(rows)\n    if value > 3:\n        return 1\n",
        "    value = figure(rows)\n    if most is not None:\n        return value < most\n",
        "    value = table.objects.aggregate(n=Sum('n'))['n']\n    return most < value\n",
        "    value = table.objects.aggregate(Max('n'))\n    return value['n__max'] < most\n",
        "    value = table.objects.aggregate(n=Sum('n')).get('n', 0)\n    return value < most\n",
        "    value, size = pair(rows)\n    return value < most\n",
        "    figures = {'a': figure(rows)}\n    return figures['a'] < most\n",
        "    value = figure(rows)\n    if value is None:\n        most = 1\n    return value < most\n",
    ] {
        assert_eq!(compared(body).len(), 1, "{body}");
    }
}

#[test]
fn a_figure_that_is_looked_at_is_not() {
    for body in [
        "    value = figure(rows)\n    return value is not None and value > 3\n",
        "    value = figure(rows)\n    return value > 3 if value is not None else False\n",
        "    value = figure(rows)\n    if value is None:\n        return 0\n    return value > 3\n",
        "    value = figure(rows)\n    if not value:\n        value = 1\n    return value > 3\n",
        "    value = figure(rows) or 0\n    return value > 3\n",
        "    value = figure(rows)\n    has = value is not None\n    if has:\n        return value > 3\n",
        "    value = figure(rows)\n    assert value is not None\n    return value > 3\n",
        "    value = figure(rows)\n    try:\n        return value > 3\n    except TypeError:\n        return 0\n",
        "    value = figure(rows)\n    if isinstance(value, int):\n        return value > 3\n",
        "    value = table.objects.aggregate(n=Count('n'))['n']\n    return most < value\n",
        "    value = table.objects.aggregate(n=Sum('n', default=0))['n']\n    return most < value\n",
        "    value = table.objects.aggregate(n=Coalesce(Sum('n'), 0))['n']\n    return most < value\n",
        "    value, size = pair(rows)\n    if size == 0:\n        return 0\n    return value < most\n",
        "    value = None\n    for row in rows:\n        value = row.n\n    return value < most\n",
        "    value = figure(rows)\n    return value == 3\n",
    ] {
        assert_eq!(compared(body), Vec::<u32>::new(), "{body}");
    }
}

/// What is told of an endpoint whose body is given.
fn listed(head: &str, body: &str) -> usize {
    let text = format!(
        "from typing import Annotated\nfrom fastapi import APIRouter, Depends, Query\nfrom sqlalchemy import select\n\
         router = APIRouter()\ndef clamp(limit):\n    return min(limit, 100)\ndef refuse(limit):\n    \
         if limit > 100:\n        raise ValueError\n\
         @router.get('/rows')\nasync def rows(db, offset: int = 0, {head}):\n{body}    return db.scalars(statement)\n"
    );
    lines("unbounded-page-size", &text).len()
}

#[test]
fn a_size_that_reaches_the_rows_untouched_is_told() {
    let plain = "    statement = select(1).limit(limit)\n";
    for head in
        ["limit: int = 50", "limit: int | None = Query(50, ge=1)", "limit: Annotated[int, Query(ge=1)] = 50"]
    {
        assert_eq!(listed(head, plain), 1, "{head}");
    }
    for head in [
        "limit: int = Query(50, le=100)",
        "limit: Annotated[int, Query(lt=100)] = 50",
        "limit: int = Depends(clamp)",
    ] {
        assert_eq!(listed(head, plain), 0, "{head}");
    }
    for (body, count) in [
        ("    size = limit\n    statement = select(1).limit(size)\n", 1),
        ("    if limit < 1:\n        limit = 1\n    statement = select(1).limit(limit)\n", 1),
        ("    statement = select(1).limit(max(limit, 1))\n", 1),
        ("    statement = select(1).limit(min(limit, 100))\n", 0),
        ("    limit = min(limit, 100)\n    statement = select(1).limit(limit)\n", 0),
        ("    limit = clamp(limit)\n    statement = select(1).limit(limit)\n", 0),
        ("    if limit > 100:\n        limit = 100\n    statement = select(1).limit(limit)\n", 0),
        ("    if limit not in (10, 20):\n        limit = 10\n    statement = select(1).limit(limit)\n", 0),
        ("    statement = select(1).limit(10)\n", 0),
        ("    statement = select(1).offset(offset)\n", 0),
    ] {
        assert_eq!(listed("limit: int = 50", body), count, "{body}");
    }
}

#[test]
fn an_actor_is_told_where_no_task_says_it() {
    let text = |task: &str| {
        format!(
            "from contextvars import ContextVar\nfrom celery import shared_task\nfrom celery.signals import task_prerun\n\
             import logging\ncurrent_user = ContextVar('u')\nrequest_id = ContextVar('r')\n\
             def who():\n    return current_user.get()\n{task}"
        )
    };
    for (task, count) in [
        ("@shared_task\ndef a():\n    use(who())\n", 1),
        ("@shared_task\ndef a():\n    use(current_user.get())\n", 1),
        ("def helper():\n    use(who())\n@shared_task\ndef a():\n    helper()\n", 1),
        ("def request():\n    use(who())\n", 0),
        ("@shared_task\ndef a():\n    use(request_id.get())\n", 0),
        ("@shared_task\ndef a(user):\n    current_user.set(user)\n    use(who())\n", 0),
        (
            "@task_prerun.connect\ndef before(**kw):\n    current_user.set(1)\n@shared_task\ndef a():\n    use(who())\n",
            0,
        ),
    ] {
        assert_eq!(lines("ambient-actor-in-task", &text(task)).len(), count, "{task}");
    }
}

#[test]
fn a_row_is_told_where_nothing_keeps_it_single() {
    let text = |decorator: &str, body: &str| {
        format!(
            "from celery import shared_task\nfrom sqlalchemy import UniqueConstraint, select\n\
             from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column\nimport uuid\n\
             class Base(DeclarativeBase): ...\n\
             class Report(Base):\n    __tablename__ = 'r'\n    id: Mapped[int] = mapped_column(primary_key=True)\n    \
             week: Mapped[int] = mapped_column()\n\
             class Single(Base):\n    __tablename__ = 's'\n    __table_args__ = (UniqueConstraint('week', 'team'),)\n    \
             id: Mapped[int] = mapped_column(primary_key=True)\n    week: Mapped[int] = mapped_column()\n    \
             team: Mapped[str] = mapped_column()\n\
             {decorator}\ndef make(week):\n    with Session() as db:\n{body}        db.commit()\n"
        )
    };
    let late = "@shared_task(acks_late=True)";
    for (decorator, body, count) in [
        (late, "        db.add(Report(week=week))\n", 1),
        ("@shared_task", "        db.add(Report(week=week))\n", 0),
        (late, "        db.add(Single(week=week, team='a'))\n", 0),
        (late, "        db.add(Single(week=week, team=str(uuid.uuid4())))\n", 1),
        (
            late,
            "        if not db.scalar(select(Report).where(Report.week == week)):\n            db.add(Report(week=week))\n",
            0,
        ),
        (late, "        db.merge(Report(id=1, week=week))\n", 0),
    ] {
        assert_eq!(lines("repeated-periodic-row", &text(decorator, body)).len(), count, "{body}");
    }
}
