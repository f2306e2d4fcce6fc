// SPDX-License-Identifier: GPL-2.0

//! Columns that `-o` chooses, in the manner of util-linux: `-o a,b` prints these, `-o +c` prints c
//! behind the usual ones. The rows of the JSON have the fields of these columns alone; without `-o`
//! they have all fields.

use std::io::{self, Write};
use std::marker::PhantomData;

use clap::{Arg, ArgMatches, Command, FromArgMatches};
use serde::Serialize;
use serde_json::Value;

use super::table::Table;
use crate::json::{self, Unknown};

/// Name of the argument.
const ID: &str = "columns";

/// A row of a table.
pub trait Row: Sized + 'static {
    /// All columns that there are.
    fn columns() -> Vec<Column<Self>>;
}

/// A column of rows of type `R`.
pub struct Column<R> {
    name: &'static str,
    fields: Vec<String>,
    width: usize,
    is_number: bool,
    text: Box<dyn Fn(&R) -> String>,
}

impl<R> Column<R> {
    /// A left-aligned column. Its field in the JSON has its name, with `_` for `-`.
    pub fn text(name: &'static str, text: impl Fn(&R) -> String + 'static) -> Self {
        Self {
            name,
            fields: vec![name.replace('-', "_")],
            width: name.len(),
            is_number: false,
            text: Box::new(text),
        }
    }

    /// A right-aligned column.
    pub fn number(name: &'static str, text: impl Fn(&R) -> String + 'static) -> Self {
        Self {
            is_number: true,
            ..Self::text(name, text)
        }
    }

    /// The fields in the JSON, if they have other names.
    pub fn fields(self, fields: &[&str]) -> Self {
        Self {
            fields: fields.iter().map(ToString::to_string).collect(),
            ..self
        }
    }

    /// The width where rows are printed before all of them are known.
    pub fn width(self, width: usize) -> Self {
        Self {
            width: width.max(self.name.len()),
            ..self
        }
    }
}

/// The columns that `-o` names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    adds: bool,
    names: Vec<&'static str>,
}

fn names<R: Row>() -> Vec<&'static str> {
    R::columns().iter().map(|column| column.name).collect()
}

fn parse<R: Row>(text: &str) -> Result<Choice, String> {
    let all = names::<R>();
    let (adds, list) = match text.strip_prefix('+') {
        Some(list) => (true, list),
        None => (false, text),
    };
    let names = list.split(',').map(|word| {
        let found = all.iter().find(|name| name.eq_ignore_ascii_case(word));
        found.copied().ok_or_else(|| {
            format!(
                "unknown column {word:?}; the columns are {}",
                all.join(", ")
            )
        })
    });

    Ok(Choice {
        adds,
        names: names.collect::<Result<_, _>>()?,
    })
}

/// The option `-o` of a command that prints rows of type `R`.
pub struct Output<R> {
    choice: Option<Choice>,
    rows: PhantomData<fn(&R)>,
}

impl<R: Row> clap::Args for Output<R> {
    fn augment_args(command: Command) -> Command {
        let help = format!(
            "Columns to print, or +COLUMNS to add: {}",
            names::<R>().join(", ")
        );

        command.arg(
            Arg::new(ID)
                .short('o')
                .long("output")
                .value_name("COLUMNS")
                .value_parser(parse::<R>)
                .overrides_with(ID)
                .help(help),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<R: Row> FromArgMatches for Output<R> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            choice: matches.get_one(ID).cloned(),
            rows: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<R: Row> Output<R> {
    /// The columns that `-o` chooses, if it was given; `usual` are those before a `+`.
    pub fn chosen(&self, usual: &[&'static str]) -> Option<Columns<R>> {
        let Choice { adds, names } = self.choice.as_ref()?;
        let before = if *adds { usual } else { &[] };

        Some(Columns::named(before.iter().chain(names)))
    }

    /// The columns that `-o` chooses, or the usual ones.
    pub fn or_usual(&self, usual: &[&'static str]) -> Columns<R> {
        self.chosen(usual).unwrap_or_else(|| Columns::usual(usual))
    }

    /// Prints JSON. `rows` are the paths of its rows, names of fields with `/` in between; arrays on the
    /// way are passed.
    ///
    /// # Errors
    ///
    /// `out` cannot be written.
    pub fn print_json(
        &self,
        out: &mut dyn Write,
        command: &str,
        body: &impl Serialize,
        unknown: &[Unknown],
        usual: &[&'static str],
        rows: &[&str],
    ) -> io::Result<()> {
        let Some(columns) = self.chosen(usual) else {
            return json::print(out, command, body, unknown);
        };
        let mut body = serde_json::to_value(body)?;

        for path in rows {
            columns.filter_at(&mut body, path);
        }
        json::print(out, command, &body, unknown)
    }
}

/// Columns in the order in which they are printed.
pub struct Columns<R>(Vec<Column<R>>);

impl<R: Row> Columns<R> {
    /// These columns.
    pub fn usual(names: &[&'static str]) -> Self {
        Self::named(names.iter())
    }

    fn named<'a>(names: impl Iterator<Item = &'a &'static str>) -> Self {
        let mut all = R::columns();
        // A name that comes again has been taken.
        let columns = names.filter_map(|name| {
            let at = all.iter().position(|column| column.name == *name)?;
            Some(all.swap_remove(at))
        });

        Self(columns.collect())
    }

    /// Returns true if one of these columns is among them.
    pub fn has_any(&self, names: &[&str]) -> bool {
        self.0.iter().any(|column| names.contains(&column.name))
    }

    /// The rows as a table, below its header.
    pub fn table<'a>(&self, rows: impl IntoIterator<Item = &'a R>) -> Table {
        let mut table = Table::aligned(self.0.iter().map(|column| column.is_number).collect());

        table.row(self.0.iter().map(|column| column.name.to_string()));
        for row in rows {
            table.row(self.0.iter().map(|column| (column.text)(row)));
        }
        table
    }

    /// The header of rows that are printed one by one.
    pub fn header(&self) -> String {
        self.line_of(|name| name.to_string())
    }

    /// A row that is printed before all are known.
    pub fn line(&self, row: &R) -> String {
        self.join(|column| (column.text)(row))
    }

    /// A line whose cells are told by the names of the columns.
    pub fn line_of(&self, cell: impl Fn(&str) -> String) -> String {
        self.join(|column| cell(column.name))
    }

    fn join(&self, cell: impl Fn(&Column<R>) -> String) -> String {
        let cells = self.0.iter().map(|column| {
            let (text, width) = (cell(column), column.width);
            match column.is_number {
                true => format!("{text:>width$}"),
                false => format!("{text:<width$}"),
            }
        });

        let line = cells.collect::<Vec<_>>().join("  ");
        line.trim_end().to_string()
    }

    /// Leaves the fields of these columns, in a row or in each row of an array.
    pub fn filter(&self, rows: &mut Value) {
        match rows {
            Value::Array(rows) => rows.iter_mut().for_each(|row| self.filter(row)),
            Value::Object(row) => row.retain(|field, _| {
                let mut fields = self.0.iter().flat_map(|column| &column.fields);
                fields.any(|name| name == field)
            }),
            _ => {}
        }
    }

    fn filter_at(&self, value: &mut Value, path: &str) {
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));

        match value {
            Value::Array(all) => all.iter_mut().for_each(|one| self.filter_at(one, path)),
            Value::Object(fields) => match fields.get_mut(first) {
                Some(rows) if rest.is_empty() => self.filter(rows),
                Some(inner) => self.filter_at(inner, rest),
                None => {}
            },
            _ => {}
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    struct Line(u64);

    impl Row for Line {
        fn columns() -> Vec<Column<Self>> {
            vec![
                Column::text("place", |line: &Self| format!("at {}", line.0)).fields(&["x", "y"]),
                Column::number("a-number", |line: &Self| line.0.to_string()).width(9),
                Column::text("name", |_| "n".to_string()),
            ]
        }
    }

    /// An option `-o` with this value.
    pub fn output<R: Row>(text: &str) -> Output<R> {
        Output {
            choice: Some(parse::<R>(text).expect("columns")),
            rows: PhantomData,
        }
    }

    /// The usual columns are among all, and each name is there once.
    pub fn check<R: Row>(usual: &[&'static str]) {
        let mut all = names::<R>();
        assert!(usual.iter().all(|name| all.contains(name)), "{usual:?}");
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
    }

    #[test]
    fn columns_are_chosen_or_added() {
        check::<Line>(&["name"]);
        let lines = |text| output::<Line>(text).or_usual(&["name"]).table(&[Line(7)]);
        assert_eq!(
            lines("a-number,place").lines(0),
            ["a-number  place", "7         at 7"]
        );
        assert_eq!(lines("+place").lines(0), ["name  place", "n     at 7"]);
        // Once is enough, and capitals do not matter.
        assert_eq!(lines("+NAME,Place").lines(0), lines("name,place").lines(0));
        let name = output::<Line>("+name").chosen(&[]).expect("a choice");
        assert!(name.has_any(&["place", "name"]) && !name.has_any(&["place"]));
    }

    #[test]
    fn unknown_columns_are_told_the_known_ones() {
        for text in ["size", "+size", "place,size", "", "place,", "+"] {
            let error = parse::<Line>(text).expect_err("no such column");
            assert!(error.contains("place, a-number, name"), "{text:?}: {error}");
        }
    }

    #[test]
    fn rows_one_by_one_line_up() {
        let columns = output::<Line>("place,a-number,name").or_usual(&[]);
        let lines = [columns.header(), columns.line(&Line(7))];
        assert_eq!(lines, ["place   a-number  name", "at 7           7  n"]);
        assert_eq!(
            columns.line_of(|name| name[..1].to_string()),
            "p              a  n"
        );
    }

    #[test]
    fn json_has_the_fields_of_the_columns() {
        let body = json!({
            "total": { "x": 1, "name": "t" },
            "all": [
                { "pid": 1, "rows": [{ "x": 1, "y": 2, "a_number": 3, "name": "n" }] },
                { "pid": 2, "rows": [{ "x": 4, "a_number": 5 }, { "y": 6, "a_number": 7 }] },
            ],
        });
        let print = |output: &Output<Line>| {
            let mut text = Vec::new();
            output
                .print_json(
                    &mut text,
                    "test",
                    &body,
                    &[],
                    &["name"],
                    &["all/rows", "none"],
                )
                .expect("a vector takes it");
            serde_json::from_slice::<Value>(&text).expect("JSON")
        };
        let found = print(&output("+place"));
        let rows = json!([
            { "pid": 1, "rows": [{ "x": 1, "y": 2, "name": "n" }] },
            { "pid": 2, "rows": [{ "x": 4 }, { "y": 6 }] },
        ]);
        assert_eq!((&found["all"], &found["total"]), (&rows, &body["total"]));
        assert_eq!(found["schema"], "xpagemap.test/1");
        let all = Output {
            choice: None,
            rows: PhantomData,
        };
        assert_eq!(print(&all)["all"], body["all"]);
    }
}
