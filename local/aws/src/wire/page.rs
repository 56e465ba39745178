//! Answers in pages.

use super::ServiceError;

/// One page of `items` and the token of the next one. A token is the position reached, in decimal.
/// `size` 0 and none mean `largest`.
pub fn page<T>(
    items: Vec<T>,
    size: Option<u64>,
    largest: usize,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), ServiceError> {
    let start = match token {
        None => 0,
        Some(token) => token
            .parse::<usize>()
            .map_err(|_| ServiceError::new("InvalidToken", format!("Invalid Token: '{token}'")))?,
    };
    let size = match size {
        None | Some(0) => largest,
        Some(size) => usize::try_from(size).unwrap_or(largest).min(largest),
    };
    let end = start.saturating_add(size);
    let next = (items.len() > end).then(|| end.to_string());
    Ok((items.into_iter().skip(start).take(size).collect(), next))
}
