//! The tags of a page. Whoever reads it is stricter than a browser: what is not well formed fails the test.

/// Elements that have no end.
const VOID: [&str; 4] = ["meta", "br", "img", "!DOCTYPE"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
}

/// Every tag that is opened, in their order.
pub(crate) fn tags(page: &str) -> Vec<Tag> {
    let (mut tags, mut open, mut rest) = (Vec::new(), Vec::new(), page);
    while let Some((text, after)) = rest.split_once('<') {
        assert!(
            !text.contains('>') || open.last().is_some_and(|name| name == "style"),
            "a stray > in {text:?}"
        );
        let (inner, after) = tag(after);
        rest = after;
        if let Some(name) = inner.strip_prefix('/') {
            assert_eq!(
                open.pop().as_deref(),
                Some(name),
                "closed in the wrong order"
            );
            continue;
        }
        let is_closed = inner.ends_with('/');
        let tag = parsed(inner.trim_end_matches('/'));
        if !is_closed && !VOID.contains(&tag.name.as_str()) {
            open.push(tag.name.clone());
        }
        tags.push(tag);
    }
    assert_eq!(open, Vec::<String>::new(), "not closed");
    tags
}

/// Up to the `>` that is not in an attribute.
fn tag(text: &str) -> (&str, &str) {
    let mut is_quoted = false;
    for (index, c) in text.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '>' if !is_quoted => return (&text[..index], &text[index + 1..]),
            _ => assert!(is_quoted || c != '<', "a < in a tag: {:?}", &text[..index]),
        }
    }
    panic!("a tag without an end: {text:?}");
}

fn parsed(inner: &str) -> Tag {
    let (name, mut rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
    let mut attributes = Vec::new();
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').unwrap();
        attributes.push((name.trim().to_owned(), value.to_owned()));
        rest = after;
    }
    Tag {
        name: name.to_owned(),
        attributes,
    }
}
