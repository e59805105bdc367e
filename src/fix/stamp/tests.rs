//! fix/stamp/tests: where a time is put in code of every layout, and where it is not.

use super::*;
use crate::remedy::Deed;
use crate::source::Source;
use std::cell::OnceCell;

/// The text with a stamp at a place of it, or why there is none.
fn stamped(text: &str, time: Time, at: impl Fn(&dyn Fn(&str) -> Span) -> Target) -> Result<String, Refusal> {
    let source = Source::of_text("a.rs", Language::Rust, text);
    let layout = crate::lower::layout(&source);
    let ground = Ground { source: &source, layout: &layout, is_own: &|_| false, clock: &OnceCell::new() };
    let span = |part: &str| {
        let start = text.find(part).unwrap_or_else(|| panic!("`{part}` is there"));
        Span::new(start..start + part.len())
    };
    let deed = Deed::Stamp(Stamp { column: "updated_at".into(), time, at: at(&span) });
    let mut out = text.to_owned();
    for patch in ground.patches(&deed)? {
        out.replace_range(patch.span.range(), &patch.text);
    }
    let after = crate::lower::layout(&source.with_text(out.clone()));
    assert!(after.faults <= layout.faults, "{out}");
    Ok(out)
}

fn on_row(text: &str, behind: &str) -> Result<String, Refusal> {
    stamped(text, Time::Usual, |span| Target::Row { row: "job".into(), side: Side::Behind, of: span(behind) })
}

fn among_fields(text: &str, owner: &str) -> Result<String, Refusal> {
    stamped(text, Time::Usual, |span| Target::Fields { owner: span(owner), beside: None })
}

fn among_values(text: &str, owner: &str) -> Result<String, Refusal> {
    stamped(text, Time::Usual, |span| Target::Values { owner: span(owner) })
}

/// What a stamp adds to a text, between what was there before and behind it.
fn added<'t>(old: &str, new: &'t str) -> &'t str {
    let before = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let most = old.len() - before;
    let behind = old.bytes().rev().zip(new.bytes().rev()).take(most).take_while(|(a, b)| a == b).count();
    &new[before..new.len() - behind]
}

#[test]
fn a_row_is_stamped_behind_its_change_as_its_change_is_written() {
    let text = "fn f() {\n    let mut job: job::ActiveModel = job.into();\n    job.state = Set(s); // why\n    \
                job.update(db)?;\n    g(Utc::now());\n}\n";
    let new = on_row(text, "job.state").expect("there is a place");
    assert!(
        new.contains(
            "    job.state = Set(s); // why\n    job.updated_at = Set(Utc::now());\n    job.update(db)?;\n"
        ),
        "{new}"
    );
    let plain = text.replace("Set(s)", "s.into()");
    let new = on_row(&plain, "job.state").expect("there is a place");
    assert!(new.contains("    job.updated_at = Utc::now();\n"), "{new}");
    let pathed = text.replace("Set(s)", "sea_orm::ActiveValue::Set(s)");
    let new = on_row(&pathed, "let mut job").expect("there is a place");
    assert!(new.contains("into();\n    job.updated_at = sea_orm::ActiveValue::Set(Utc::now());\n"), "{new}");
}

#[test]
fn line_ends_tabs_and_lines_of_several_statements_stay_as_they_are() {
    let text = "fn f() {\r\n\tif a {\r\n\t\tjob.state = Set(s);\r\n\t}\r\n\tg(chrono::Utc::now());\r\n}\r\n";
    let new = on_row(text, "job.state").expect("there is a place");
    assert_eq!(added(text, &new).trim(), "job.updated_at = Set(chrono::Utc::now());");
    assert!(new.contains("Set(s);\r\n\t\tjob.updated_at = Set(chrono::Utc::now());\r\n\t}\r\n"), "{new:?}");
    let text = "fn f() { g(Utc::now()); if a { job.state = Set(s); } }";
    let new = on_row(text, "job.state").expect("there is a place");
    assert_eq!(
        new,
        "fn f() { g(Utc::now()); if a { job.state = Set(s); job.updated_at = Set(Utc::now()); } }"
    );
}

#[test]
fn what_is_a_value_or_has_no_block_is_left_alone() {
    let begin = "fn f() { g(Utc::now());\n";
    for text in [
        "match a {\n    A => job.state = Set(s),\n    B => c(),\n}\n}",
        "rows.iter_mut().for_each(|job| job.state = Set(s));\n}",
        "job.state = Set(s)\n}",
        "a;\nOk(job.update(db))\n}",
    ] {
        let text = format!("{begin}{text}");
        let behind = if text.contains("job.state") { "job.state" } else { "job.update" };
        assert!(on_row(&text, behind).is_err(), "{text}: {:?}", on_row(&text, behind));
    }
    let block =
        format!("{begin}match a {{\n    A => {{\n        job.state = Set(s);\n    }}\n    B => c(),\n}}\n}}");
    let new = on_row(&block, "job.state").expect("there is a place");
    assert!(
        new.contains("        job.state = Set(s);\n        job.updated_at = Set(Utc::now());\n    }\n"),
        "{new}"
    );
}

#[test]
fn a_row_may_be_stamped_before_a_value() {
    let before = |text: &str| {
        stamped(text, Time::Usual, |span| Target::Row {
            row: "job".into(),
            side: Side::Before,
            of: span("job.update(db)"),
        })
    };
    let text = "fn f() {\n    g(Utc::now());\n    if a {\n        job.state = Set(s);\n    }\n    // all of it\n    \
                job.update(db)\n}\n";
    let new = before(text).expect("there is a place");
    assert!(
        new.contains("    // all of it\n    job.updated_at = Set(Utc::now());\n    job.update(db)\n}"),
        "{new}"
    );
    let inline = "fn f() { g(Utc::now()); job.state = Set(s); job.update(db) }";
    let new = before(inline).expect("there is a place");
    assert!(new.contains("Set(s); job.updated_at = Set(Utc::now()); job.update(db) }"), "{new}");
    assert!(before("fn f() { g(Utc::now()); match a { A =>\n job.update(db), _ => b } }").is_err());
}

#[test]
fn a_literal_takes_one_more_field_before_what_it_is_based_on() {
    let case = |fields: &str, wanted: &str| {
        let text =
            format!("fn f() {{\n    g(Utc::now());\n    let job = job::ActiveModel {{{fields}}};\n}}\n");
        let new = among_fields(&text, &format!("job::ActiveModel {{{fields}}}")).expect("there is a place");
        let start = new.find("ActiveModel {").expect("it is there") + "ActiveModel {".len();
        let end = new.rfind("};\n").expect("it is there");
        assert_eq!(&new[start..end], wanted);
    };
    case(" id: Set(1) ", " id: Set(1), updated_at: Set(Utc::now()) ");
    case(
        "\n        id: Set(1),\n        ..Default::default()\n    ",
        "\n        id: Set(1),\n        updated_at: Set(Utc::now()),\n        ..Default::default()\n    ",
    );
    case(
        "\n        id: ActiveValue::set(1), // the key\n    ",
        "\n        id: ActiveValue::set(1), // the key\n        updated_at: ActiveValue::set(Utc::now()),\n    ",
    );
    case(
        "\n\t\tid,\n\t\tstate: Set(S {\n\t\t\ta,\n\t\t}),\n\t\t..job\n",
        "\n\t\tid,\n\t\tstate: Set(S {\n\t\t\ta,\n\t\t}),\n\t\tupdated_at: Set(Utc::now()),\n\t\t..job\n",
    );
}

#[test]
fn a_literal_of_nothing_but_its_base_is_written_as_the_file_writes_others() {
    let text = "fn f() { let a = A { id: Set(Utc::now()) }; let b = b::ActiveModel { ..a }; let c = c::ActiveModel {}; }";
    let new = among_fields(text, "b::ActiveModel { ..a }").expect("there is a place");
    assert!(new.contains("b::ActiveModel { updated_at: Set(Utc::now()), ..a }"), "{new}");
    let new = among_fields(text, "c::ActiveModel {}").expect("there is a place");
    assert!(new.contains("c::ActiveModel { updated_at: Set(Utc::now()) }"), "{new}");
    assert!(among_fields("fn f() { b::ActiveModel { ..a }; }", "b::ActiveModel { ..a }").is_err());
    let plain = "fn f() { let now = Utc::now(); h(NewJob { state: \"a\" }) }";
    let new = among_fields(plain, "NewJob { state: \"a\" }").expect("there is a place");
    assert!(new.contains("NewJob { state: \"a\", updated_at: now }"), "{new}");
}

#[test]
fn a_statement_sets_one_more_column_in_its_tuple() {
    let call = |given: &str| format!("diesel::update(jobs::table).set({given})");
    let set = |given: &str| {
        let text = format!(
            "use x::dsl::*;\nfn f() {{\n    {}.execute(c)?;\n    g(diesel::dsl::now);\n}}\n",
            call(given)
        );
        among_values(&text, &call(given)).map(|new| {
            let start = new.find(".set(").expect("it is there") + 5;
            new[start..new.find(").execute").expect("it is there")].to_owned()
        })
    };
    assert_eq!(
        set("(jobs::state.eq(s), jobs::kind.eq(k))").as_deref(),
        Ok("(jobs::state.eq(s), jobs::kind.eq(k), jobs::updated_at.eq(diesel::dsl::now))")
    );
    assert_eq!(
        set("(\n        state.eq(s),\n        kind.eq(k),\n    )").as_deref(),
        Ok("(\n        state.eq(s),\n        kind.eq(k),\n        updated_at.eq(diesel::dsl::now),\n    )")
    );
    assert_eq!(
        set("jobs::state.eq(s)").as_deref(),
        Ok("(jobs::state.eq(s), jobs::updated_at.eq(diesel::dsl::now))")
    );
    assert!(set("&changes").is_err());
    assert!(among_values("fn f() { u.set(state.eq(Utc::now())); }", "u.set(state.eq(Utc::now()))").is_err());
}

#[test]
fn a_column_that_is_left_out_in_words_is_given_the_time_in_their_place() {
    let case = |fields: &str| {
        let text = format!("fn f() {{ g(Utc::now()); A {{ {fields} }}; }}");
        among_fields(&text, &format!("A {{ {fields} }}")).map(|new| {
            new.trim_start_matches("fn f() { g(Utc::now()); A { ").trim_end_matches(" }; }").to_owned()
        })
    };
    assert_eq!(
        case("id: Set(1), updated_at: NotSet").as_deref(),
        Ok("id: Set(1), updated_at: Set(Utc::now())")
    );
    assert_eq!(
        case("updated_at: ActiveValue::NotSet, id: Set(1)").as_deref(),
        Ok("updated_at: Set(Utc::now()), id: Set(1)")
    );
    assert_eq!(
        case("id: Set(1), updated_at: Set(None)").as_deref(),
        Ok("id: Set(1), updated_at: Set(Some(Utc::now()))")
    );
    assert_eq!(case("id: 1, updated_at: None").as_deref(), Ok("id: 1, updated_at: Some(Utc::now())"));
    assert_eq!(case("id: 1, updated_at: before"), Err(GIVEN));
    assert_eq!(case("id: 1, updated_at"), Err(GIVEN));
    assert_eq!(
        case("id: 1, updated_at_zone: z").as_deref(),
        Ok("id: 1, updated_at_zone: z, updated_at: Utc::now()")
    );
    let set = "u.set((j::state.eq(s), j::updated_at.eq(old)))";
    assert_eq!(among_values(&format!("fn f() {{ {set}; g(Utc::now()); }}"), set), Err(GIVEN));
}

#[test]
fn an_expression_of_a_column_is_followed_by_one_more() {
    let text = "fn f() {\n    g(Utc::now());\n    job::Entity::update_many()\n        \
                .col_expr(job::Column::State, Expr::value(\"a\"))\n        .exec(db)\n        .await?;\n}\n";
    let owner = "job::Entity::update_many()\n        .col_expr(job::Column::State, Expr::value(\"a\"))";
    let new = among_values(text, owner).expect("there is a place");
    let line = "\n        .col_expr(job::Column::UpdatedAt, Expr::value(Utc::now()))\n        .exec(db)";
    assert!(new.contains(line), "{new}");
    let inline = text.replace("\n        .", ".");
    let new = among_values(&inline, &owner.replace("\n        .", ".")).expect("there is a place");
    assert!(
        new.contains("\"a\")).col_expr(job::Column::UpdatedAt, Expr::value(Utc::now())).exec(db)"),
        "{new}"
    );
}

#[test]
fn the_clock_is_read_as_the_code_around_reads_it() {
    let clock = |rest: &str, inner: &str| {
        let text = format!("{rest}\nfn f() {{\n    {inner}\n    job.state = Set(s);\n    h();\n}}\n");
        on_row(&text, "job.state = Set(s)").map(|new| {
            let line = new.lines().find(|line| line.contains("job.updated_at = Set(")).expect("it is there");
            line.trim().trim_start_matches("job.updated_at = Set(").trim_end_matches(");").to_owned()
        })
    };
    let other =
        "fn g() { J { updated_at: Set(Some(Utc::now().into())), created_at: Set(Utc::now().naive_utc()) }; }";
    assert_eq!(clock(other, "").as_deref(), Ok("Some(Utc::now().into())"));
    assert_eq!(clock(&other.replace("updated", "deleted"), "").as_deref(), Ok("Utc::now().into()"));
    assert_eq!(
        clock("fn g() { q.set(updated_at.eq(Utc::now().naive_utc())); }", "").as_deref(),
        Ok("Utc::now().naive_utc()")
    );
    assert_eq!(
        clock("fn g() { j.updated_at = ActiveValue::Set(Clock::now()); }", "").as_deref(),
        Ok("Clock::now()")
    );
    assert_eq!(clock("", "let now = Utc::now();").as_deref(), Ok("now"));
    assert_eq!(clock("", "if a { let now = Utc::now(); b(now); }").as_deref(), Ok("Utc::now()"));
    assert_eq!(clock("", "let day = Utc::now().timestamp();").as_deref(), Ok("Utc::now()"));
    assert_eq!(clock("use chrono::Duration;", "").as_deref(), Ok("chrono::Utc::now()"));
    assert!(clock("use std::time::Instant;", "let started = Instant::now();").is_err());
    assert!(clock("", "// Utc::now()").is_err());
}

#[test]
fn a_time_that_is_at_hand_is_given_again() {
    let text = "fn f() { let job = J { id: 1, created_at: Set(now) }; }";
    let again = |span: &dyn Fn(&str) -> Span| Time::Again(span("Set(now)"));
    let span =
        |part: &str| Span::new(text.find(part).expect("there")..text.find(part).expect("there") + part.len());
    let new = stamped(text, again(&span), |span| Target::Fields {
        owner: span("J { id: 1, created_at: Set(now) }"),
        beside: Some(span("created_at: Set(now)")),
    });
    assert_eq!(
        new.as_deref(),
        Ok("fn f() { let job = J { id: 1, created_at: Set(now), updated_at: Set(now) }; }")
    );
}

#[test]
fn code_of_another_language_is_not_put_into_rust() {
    let source = Source::of_text("a.rs", Language::Rust, "fn f(a: A) { g(a); }");
    let layout = crate::lower::layout(&source);
    let ground = Ground { source: &source, layout: &layout, is_own: &|_| false, clock: &OnceCell::new() };
    let span = Span { start: 13, end: 18 };
    for deed in [
        Deed::Behind { span, code: "job.updated_at = now()".into() },
        Deed::Part { owner: Span { start: 13, end: 17 }, beside: None, text: "updated_at=now()".into() },
        Deed::Bind(crate::remedy::Binding::item("datetime", "datetime")),
    ] {
        assert!(ground.patches(&deed).is_err(), "{deed:?}");
    }
}
