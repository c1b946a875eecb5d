//! Tables that read well as text and as Markdown.

use std::fmt::{Display, Formatter, Result};

/// A title, a head, and rows of as many cells.
pub struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Without rows yet.
    pub fn new(title: impl Into<String>, head: &[&str]) -> Table {
        Table { title: title.into(), rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

impl Display for Table {
    /// The first column is text, the others are numbers.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "### {}\n", self.title)?;
        let widths: Vec<_> = (0..self.rows[0].len()).map(|column| self.width(column)).collect();
        for (index, row) in self.rows.iter().enumerate() {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match column {
                    0 => write!(f, "| {cell:width$} ")?,
                    _ => write!(f, "| {cell:>width$} ")?,
                }
            }
            writeln!(f, "|")?;
            if index == 0 {
                rule(f, &widths)?;
            }
        }
        Ok(())
    }
}

fn rule(f: &mut Formatter<'_>, widths: &[usize]) -> Result {
    for (column, width) in widths.iter().enumerate() {
        let dashes = "-".repeat(width + 1);
        let end = if column == 0 { "-" } else { ":" };
        write!(f, "|{dashes}{end}")?;
    }
    writeln!(f, "|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new("T", &["server", "CPU"]);
        table.row(vec!["a".to_owned(), "0.1".to_owned()]);
        assert_eq!(table.to_string(), "### T\n\n| server | CPU |\n|--------|----:|\n| a      | 0.1 |\n");
    }
}
