//! Rows of cells.

use leptos::prelude::*;

use crate::preference::t;
use crate::text::Text;

/// The names of the columns.
pub(crate) fn head(columns: &[Text]) -> AnyView {
    let column = |column: &Text| view! { <th scope="col">{t(*column)}</th> }.into_any();
    let columns = columns.iter().map(column).collect_view();
    view! { <thead><tr>{columns}</tr></thead> }.into_any()
}

pub(crate) fn cell(text: String) -> AnyView {
    view! { <td>{text}</td> }.into_any()
}

/// A cell of more than a text.
pub(crate) fn holding(content: AnyView) -> AnyView {
    view! { <td>{content}</td> }.into_any()
}

pub(crate) fn row(cells: Vec<AnyView>) -> AnyView {
    view! { <tr>{cells}</tr> }.into_any()
}
