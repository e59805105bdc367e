//! facts: small sources as their outline in text: what runs when, where an exception lands, what is bound where.

use trailcheck::facts::print::print;
use trailcheck::lower::lower;
use trailcheck::source::{Language, Source};

fn outline(text: &str) -> String {
    print(&lower(&Source::of_text("sample.py", Language::Python, text)))
}

#[test]
fn a_try_with_a_loop_a_block_a_handler_and_a_finally() {
    let text = r#"def f(a, db: AsyncSession = Depends(get_db)) -> "Optional[User]":
    try:
        for x in xs:
            if a and not b:
                return x.y(1).z
        with db.begin() as s:
            s.add(X(a=1, **k))
    except (IntegrityError, exc.B) as e:
        raise
    finally:
        db.close()
    return [q.r for q in a if q]
"#;
    let expected = r#"function <module>()
  block 0
    0 = name Depends
    1 = name get_db
    2 = call 0(1)
    3 = function
    4 = bind f = 3
    leave
function f(a, db: AsyncSession = Depends(get_db)) -> Optional[User]
  block 0
    goto 4
  block 1
    34 = name db
    35 = attribute 34.close
    36 = call 35()
    throw on
  block 2 in region 3
    28 = name IntegrityError
    29 = name exc
    30 = attribute 29.B
    31 = caught by 0
    32 = bind e = 31
    33 = raise None from None
    throw
  block 3
    37 = name db
    38 = attribute 37.close
    39 = call 38()
    40 = name a
    41 = element of 40
    42 = attribute 41.r
    43 = gather 42
    44 = return Some(43)
    leave
  block 4 in region 1
    0 = name xs
    goto 5
  block 5 in region 1
    goto one of [6, 7]
  block 6 in region 1
    1 = element of 0
    2 = bind x = 1
    3 = name a
    if 3 goto 12 else 11
  block 7 in region 1
    goto 8
  block 8 in region 1
    14 = name db
    15 = attribute 14.begin
    16 = call 15()
    17 = enter 16
    18 = bind s = 17
    goto 17
  block 9 in region 1
    goto 5
  block 10 in region 1
    5 = name x
    6 = attribute 5.y
    7 = literal
    8 = call 6(7)
    9 = attribute 8.z
    10 = return Some(9)
    goto 13
  block 11 in region 1
    goto 9
  block 12 in region 1
    4 = name b
    if 4 goto 11 else 10
  block 13
    11 = name db
    12 = attribute 11.close
    13 = call 12()
    leave
  block 14 in region 1
    goto 9
  block 15 in region 1
    27 = exit 17 raising
    throw on, or goto 16 when 17 swallows
  block 16 in region 1
    goto 19
  block 17 in region 2
    19 = name s
    20 = attribute 19.add
    21 = name X
    22 = literal
    23 = name k
    24 = call 21(a=22, **23)
    25 = call 20(24)
    goto 18
  block 18 in region 1
    26 = exit 17
    goto 16
  block 19 in region 0
    goto 3
  block 20 in region 3
    goto 3
  block 21
    leave
  region 0: finally, lands at [1]
  region 1 in region 0: try with handlers 0..1, lands at [2], may pass
  region 2 in region 1: with 17, lands at [15]
  region 3 in region 0: handler 0, lands at [], may pass
"#;
    let found = outline(text);
    assert!(found == expected, "{found}");
}

#[test]
fn imports_exports_and_declarations_of_a_module() {
    let text = "from ..core import hub as h\nfrom ..core import *\nimport a.b.c\nimport a.b as d\n__all__ = ['x']\n__all__ += h.__all__\n\
                __all__.append('y')\n\n\nclass Row(h.Base, Mixin[int], table=True):\n    __tablename__ = 'rows'\n    \
                at: Mapped['datetime | None'] = mapped_column(DateTime, onupdate=func.now())\n\n    \
                def touch(self, *, now=None, **more): ...\n";
    let found = outline(text);
    for line in [
        "import ..core item hub as h",
        "import ..core all as *",
        "import a.b.c as a",
        "import a.b as d",
        "exports x",
        "exports all of h.__all__",
        "exports y",
        "  field __tablename__ = \"rows\"",
        "  field at: Mapped[datetime | None] = mapped_column(DateTime, onupdate=func.now())",
        "  method touch",
        "function Row.touch(self, named now = None, **more)",
    ] {
        assert!(found.lines().any(|have| have == line), "`{line}` is missing in\n{found}");
    }
    assert!(found.contains("class Row(h.Base, Mixin[int]"), "{found}");
}
