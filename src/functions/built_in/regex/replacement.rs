//! What a match is replaced by, as in Java's `Matcher.appendReplacement`.

use fancy_regex::Captures;

use super::pattern::Pattern;

/// Appends `replacement`: `$1` and `${name}` are groups of the match, a backslash makes what follows literal.
pub(super) fn append(
    out: &mut String,
    replacement: &str,
    pattern: &Pattern,
    captures: &Captures<'_, str>,
) -> Result<(), String> {
    let mut rest = replacement;
    while let Some(at) = rest.find(['$', '\\']) {
        out.push_str(&rest[..at]);
        let is_group = rest.as_bytes()[at] == b'$';
        rest = &rest[at + 1..];
        if is_group {
            let group = group(&mut rest, pattern)?;
            out.push_str(captures.get(group).map_or("", |group| group.as_str()));
        } else {
            let literal = rest.chars().next().ok_or("the replacement ends with a backslash")?;
            out.push(literal);
            rest = &rest[literal.len_utf8()..];
        }
    }
    out.push_str(rest);
    Ok(())
}

/// The group that `rest`, behind the dollar sign, begins with. It takes as many digits as make a group that there is.
fn group(rest: &mut &str, pattern: &Pattern) -> Result<usize, String> {
    if let Some(named) = rest.strip_prefix('{') {
        let (name, behind) = named.split_once('}').ok_or("the replacement has '${' without '}'")?;
        *rest = behind;
        return pattern.group_named(name).ok_or_else(|| format!("the pattern has no group called '{name}'"));
    }
    let mut group = None;
    while let Some(digit) = rest.chars().next().and_then(|c| c.to_digit(10)) {
        let longer = group.unwrap_or(0) * 10 + digit as usize;
        if longer > pattern.groups() {
            break;
        }
        group = Some(longer);
        *rest = &rest[1..];
    }
    group.ok_or_else(|| "the replacement has '$' without a group of the pattern; a dollar sign is '\\$'".to_owned())
}
