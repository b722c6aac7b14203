//! What tells two expressions apart: everything but their places.

use cel::common::ast::{EntryExpr, Expr as Ast, IdedExpr};

/// The expression without its places: two with one key are one value.
pub fn key(expr: &IdedExpr) -> String {
    let mut bare = expr.clone();
    forget_places(&mut bare);
    format!("{:?}", bare.expr)
}

fn forget_places(expr: &mut IdedExpr) {
    expr.id = 0;
    match &mut expr.expr {
        Ast::Call(call) => {
            // `x.size()` and `size(x)` are one.
            if let (true, Some(target)) = (call.func_name == "size" && call.args.is_empty(), call.target.take()) {
                call.args.push(*target);
            }
            call.target.iter_mut().map(AsMut::as_mut).chain(&mut call.args).for_each(forget_places);
        }
        Ast::Comprehension(it) => {
            [&mut it.iter_range, &mut it.accu_init, &mut it.loop_cond, &mut it.loop_step, &mut it.result]
                .into_iter()
                .for_each(forget_places);
        }
        Ast::List(list) => list.elements.iter_mut().for_each(forget_places),
        Ast::Map(map) => map.entries.iter_mut().for_each(|entry| {
            entry.id = 0;
            if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                forget_places(&mut entry.key);
                forget_places(&mut entry.value);
            }
        }),
        Ast::Select(select) => forget_places(&mut select.operand),
        Ast::Ident(_) | Ast::Literal(_) | Ast::Struct(_) | Ast::Unspecified => {}
    }
}
