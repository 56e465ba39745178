//! The statements of a plan. Each answers one row, and every column of every answer has a name of its own.

use crate::sql;
use crate::table::Table;

/// The measures of a plan, each by name: equal ones are taken once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scans {
    from: String,
    /// Aggregates over the table, by name.
    common: Vec<(String, String)>,
    /// What needs a scan of its own.
    others: Vec<Scan>,
    named: usize,
}

/// A scan of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Behind FROM and all that follows it.
    body: String,
    /// Expressions by name.
    measures: Vec<(String, String)>,
}

impl Scans {
    pub(crate) fn over(table: &Table) -> Self {
        Self { from: table.from.clone(), common: Vec::new(), others: Vec::new(), named: 0 }
    }

    /// An aggregate over the table; its name.
    pub(crate) fn measure(&mut self, aggregate: impl Into<String>) -> String {
        let aggregate = aggregate.into();
        if let Some((name, _)) = self.common.iter().find(|(_, known)| *known == aggregate) {
            return name.clone();
        }
        let name = self.name();
        self.common.push((name.clone(), aggregate));
        name
    }

    /// Expressions over one row of their own, made by `body`; their names.
    pub(crate) fn scan<const N: usize>(
        &mut self,
        body: String,
        expressions: [String; N],
    ) -> [String; N] {
        let index = self.others.iter().position(|scan| scan.body == body).unwrap_or_else(|| {
            self.others.push(Scan { body, measures: Vec::new() });
            self.others.len() - 1
        });
        expressions.map(|expression| {
            let known = self.others[index].measures.iter().find(|(_, known)| *known == expression);
            if let Some((name, _)) = known {
                return name.clone();
            }
            let name = self.name();
            self.others[index].measures.push((name.clone(), expression));
            name
        })
    }

    fn name(&mut self) -> String {
        self.named += 1;
        format!("m{}", self.named)
    }

    /// The names of all measures.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let others = self.others.iter().flat_map(|scan| &scan.measures);
        self.common.iter().chain(others).map(|(name, _)| name.as_str())
    }

    /// The aggregates over the table, each as `expression AS "name"`: for a statement of the caller's own.
    pub fn common(&self) -> Vec<String> {
        items(&self.common)
    }

    /// The scans beside the common one, as SELECTs that answer one row each.
    pub fn others(&self) -> Vec<String> {
        self.others
            .iter()
            .map(|scan| {
                format!("SELECT {}\nFROM {}", items(&scan.measures).join(",\n  "), scan.body)
            })
            .collect()
    }

    /// All statements, each of which answers one row.
    pub fn statements(&self) -> Vec<String> {
        let common = (!self.common.is_empty())
            .then(|| format!("SELECT {}\nFROM {}", items(&self.common).join(",\n  "), self.from));
        common.into_iter().chain(self.others()).collect()
    }
}

fn items(measures: &[(String, String)]) -> Vec<String> {
    measures
        .iter()
        .map(|(name, expression)| format!("{expression} AS {}", sql::name(name)))
        .collect()
}
