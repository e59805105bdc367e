//! actors: who acts, put where it is missing: what is at hand, what is handed down through callers, and when nothing is done.

use std::collections::BTreeMap;
use std::sync::Arc;

use trailcheck::finding::Safety;
use trailcheck::fix::Mended;
use trailcheck::source::{Language, Source};

use crate::small::mended;
use crate::small::modules::{EXAMPLE, with_package};

const RULES: [&str; 4] =
    ["missing-created-by", "missing-updated-by", "missing-deleted-by", "hand-stamped-actor"];

const HEAD: &str = "from shop.audit import AuditContext\nfrom shop.models import Grant, Order, User\n\n\n";

/// Mends files beside the shop under the rules of actors.
fn mended(files: &[(&str, &str)]) -> (Mended, BTreeMap<String, String>) {
    let mut sources = with_package("");
    sources.retain(|source| source.display_path() != EXAMPLE);
    sources.extend(
        files
            .iter()
            .map(|(path, text)| Arc::new(Source::of_text(*path, Language::Python, format!("{HEAD}{text}")))),
    );
    let mended = mended::mended(sources, RULES, Safety::Unsafe);
    let own = |path: &str| path.strip_suffix(".py").is_some_and(|_| !path.starts_with("shop/"));
    let texts = mended
        .files
        .iter()
        .map(|(_, new)| (new.display_path(), new.text.replacen(HEAD, "", 1)))
        .filter(|(path, _)| own(path))
        .collect();
    (mended, texts)
}

/// What becomes of one file.
fn becomes(text: &str, new: &str) {
    let (mended, texts) = mended(&[("orders.py", text)]);
    let why: Vec<&str> = mended.left.iter().map(|left| left.why.as_str()).collect();
    assert_eq!(texts.get("orders.py").map(String::as_str), Some(new), "left: {why:?}");
}

/// Nothing is done about the one finding of a file, and the reason says so.
fn stays(files: &[(&str, &str)], why: &str) {
    let (mended, texts) = mended(files);
    assert!(texts.is_empty(), "{texts:?}");
    assert!(mended.left.iter().any(|left| left.why.contains(why)), "{:?}", mended.left);
}

const ROUTE: &str = "from service import Facade\n\n\nasync def close(db, order_id: int, current_user: User):\n    await Facade(db).close(order_id)\n";

const FACADE: &str = "from store import Store\n\n\nclass Facade:\n    def __init__(self, db):\n        self.store = Store(db)\n\n    async def close(self, *args, **kwargs):\n        return await self.store.close(*args, **kwargs)\n";

const STORE: &str = "class Store:\n    def __init__(self, db):\n        self.db = db\n\n    async def close(\n        self,\n        order_id: int,\n        status: str = \"closed\",\n        **more\n    ):\n        order = await self.db.get(Order, order_id)\n        order.status = status\n        await self.db.commit()\n";

#[test]
fn a_user_is_handed_down_through_files() {
    let (mended, texts) = mended(&[("route.py", ROUTE), ("service.py", FACADE), ("store.py", STORE)]);
    assert_eq!(texts.keys().collect::<Vec<_>>(), ["route.py", "store.py"], "{:?}", mended.left);
    assert!(
        texts["route.py"].contains("Facade(db).close(order_id, updated_by_user=current_user)"),
        "{}",
        texts["route.py"]
    );
    let store = "        status: str = \"closed\",\n        *,\n        updated_by_user: User,\n        **more\n    ):\n        audit_ctx = AuditContext.from_user(updated_by_user)\n";
    assert!(texts["store.py"].contains(store), "{}", texts["store.py"]);
    assert!(texts["store.py"].contains("order.set_updated_by(audit_ctx.user_email, audit_ctx.user_name)"));
    // It is one finding, in whichever files its fix has changed something.
    let changes = mended.scan.files.iter().flat_map(|file| &file.changes);
    assert_eq!(changes.clone().count(), 2);
    assert_eq!(changes.filter(|change| change.is_counted).count(), 1);
}

#[test]
fn no_user_is_handed_down_where_a_call_may_be_unseen() {
    let alone = "async def close(db, order_id: int):\n    order = await db.get(Order, order_id)\n    order.status = \"closed\"\n    await db.commit()\n";
    stays(&[("orders.py", alone)], "nothing in the program calls");
    let handed = format!(
        "{alone}\n\nasync def route(db, current_user: User):\n    await close(db, 1)\n    await run(close)\n"
    );
    stays(&[("orders.py", &handed)], "may be called where that is not seen");
    let two = format!(
        "{alone}\n\nasync def route(db, current_user: User, other: int, user: User):\n    await close(db, 1)\n"
    );
    stays(&[("orders.py", &two)], "several users");
    let tested = format!("{alone}\n\nasync def route(db, current_user: User):\n    await close(db, 1)\n");
    let test = "from orders import close\n\n\nasync def test_close(db):\n    await close(db, 1)\n";
    stays(&[("orders.py", &tested), ("tests/test_orders.py", test)], "a test calls");
    let of_family = "class Base:\n    async def close(self, order_id: int):\n        order = await self.db.get(Order, order_id)\n        order.status = \"closed\"\n        await self.db.commit()\n\n\nclass Other(Base):\n    async def close(self, order_id: int):\n        return None\n\n\nasync def route(base: Base, current_user: User):\n    await base.close(1)\n";
    stays(&[("orders.py", of_family)], "no user is at hand");
}

#[test]
fn a_context_on_one_path_is_not_at_hand() {
    let text = "async def close(db, order_id: int, late: bool):\n    if late:\n        context = AuditContext.from_user(None)\n    order = await db.get(Order, order_id)\n    order.status = \"closed\"\n    await db.commit()\n";
    stays(&[("orders.py", text)], "nothing in the program calls");
}

#[test]
fn a_context_that_may_be_none_is_asked() {
    becomes(
        "async def close(db, order_id: int, user: User):\n    context = AuditContext.from_user(user) if user else None\n    order = await db.get(Order, order_id)\n    order.status = \"closed\"\n    await db.commit()\n",
        "async def close(db, order_id: int, user: User):\n    context = AuditContext.from_user(user) if user else None\n    order = await db.get(Order, order_id)\n    order.status = \"closed\"\n    if context:\n        order.set_updated_by(context.user_email, context.user_name)\n    await db.commit()\n",
    );
}

#[test]
fn a_column_without_a_setter_gets_what_the_program_puts_there() {
    let shown = "async def give(db, reader: str, actor: User):\n    grant = Grant(reader)\n    grant.created_by = actor.email\n    db.add(grant)\n    await db.commit()\n\n\n";
    let bare = "async def lend(db, reader: str, actor: User):\n    grant = Grant(reader)\n    db.add(grant)\n    await db.commit()\n";
    stays(&[("orders.py", bare)], "does not show");
    let new = bare.replace("Grant(reader)\n", "Grant(reader)\n    grant.created_by = actor.email\n");
    becomes(&format!("{shown}{bare}"), &format!("{shown}{new}"));
}

#[test]
fn of_several_users_a_person_chooses() {
    let text = "async def close(db, order_id: int, user: User, actor: User):\n    order = await db.get(Order, order_id)\n    order.status = \"closed\"\n    await db.commit()\n";
    stays(&[("orders.py", text)], "several of those at hand");
}

#[test]
fn stores_of_one_column_are_no_setter() {
    let text = "async def close(db, order_id: int, user: User):\n    order = await db.get(Order, order_id)\n    order.status = \"closed\"\n    order.updated_by_email = user.email\n    await db.commit()\n";
    let (_, texts) = mended(&[("orders.py", text)]);
    assert!(texts.is_empty(), "{texts:?}");
}
