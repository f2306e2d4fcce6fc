// SPDX-License-Identifier: GPL-2.0

//! Draws the screen: ASCII alone, in the eight colours of any terminal.

use std::sync::LazyLock;

use ratatui_core::buffer::Buffer;
use ratatui_core::style::{Color, Modifier, Style};

use super::app::{ADDRESS, App, HEAD, NAME, View};
use super::text::{shortened, wrapped};
use crate::space::{STATES, State, Tally};
use crate::swaps::Device;

/// <https://no-color.org>: any value but the empty one.
static COLOURS: LazyLock<bool> =
    LazyLock::new(|| std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()));

/// The style of a state's cells.
fn style(state: Option<State>) -> Style {
    let colour = match state {
        None => return Style::new(),
        Some(_) if !*COLOURS => return Style::new(),
        Some(State::Exclusive | State::Private) => Color::Green,
        Some(State::Shared) => Color::Yellow,
        Some(State::File) => Color::Blue,
        Some(State::Ksm | State::Huge) => Color::Magenta,
        Some(State::Zero) => Color::White,
        Some(State::SwapPrivate | State::SwapShared) => Color::Red,
        Some(State::Cached) => Color::Cyan,
    };

    Style::new().fg(Color::Black).bg(colour)
}

/// Draws everything.
pub fn draw(buffer: &mut Buffer, app: &App) {
    let area = buffer.area;
    let bold = Style::new().add_modifier(Modifier::BOLD);

    // The size has changed since: the next screen has the new one.
    if !app.is_for(area.width, area.height) {
        return;
    }
    if area.width < ADDRESS + NAME + 8 || area.height < HEAD + app.foot() + 1 {
        line(buffer, 0, "the terminal is too small", bold);
        return;
    }
    let percent = match app.is_complete() || app.view == View::Swap {
        true => String::new(),
        false => format!("  {} %", app.fold.percent()),
    };
    let source = match (app.view, app.devices.shown()) {
        (View::Swap, Some(device)) => format!(
            "{}: {} of {} pages used",
            device.name(),
            device.used / procfs::page_size(),
            device.size / procfs::page_size()
        ),
        _ => format!("from {}", app.source_name),
    };
    let title = format!(
        "xpagemap watch {} ({})  {source}{percent}",
        app.pid, app.name
    );
    line(buffer, 0, &title, bold);
    counts(buffer, app);
    match (app.missing(), app.view) {
        (Some(why), _) => lines(buffer, HEAD, &wrapped(&why, usize::from(area.width))),
        (None, View::Events) => events(buffer, app, HEAD, app.height()),
        (None, _) => rows(buffer, app),
    }
    foot(buffer, app);
}

fn lines(buffer: &mut Buffer, y: u16, texts: &[String]) {
    for (y, text) in (y..buffer.area.height).zip(texts) {
        line(buffer, y, text, Style::new());
    }
}

fn line(buffer: &mut Buffer, y: u16, text: &str, style: Style) {
    let width = usize::from(buffer.area.width);

    buffer.set_stringn(0, y, text, width, style);
}

/// The legend of the states that there are, with the numbers of pages and their changes since the
/// pass before.
fn counts(buffer: &mut Buffer, app: &App) {
    let [before, last] = &app.counts;
    let now = last.unwrap_or_else(|| app.fold.total());
    let (mut x, mut y) = (0, 1);

    let used = STATES.into_iter().filter(|state| {
        let before = before.as_ref().map_or(0, |before| before.of(*state));
        now.of(*state) > 0 || before > 0
    });
    for state in used {
        let text = count(state, &now, before.as_ref());
        let width = u16::try_from(text.len())
            .unwrap_or(u16::MAX)
            .saturating_add(2);
        if x > 0 && x + width > buffer.area.width {
            (x, y) = (0, y + 1);
        }
        if y >= HEAD {
            return;
        }
        buffer.set_stringn(x, y, state.sign().to_string(), 1, style(Some(state)));
        buffer.set_stringn(x + 2, y, &text, text.len(), Style::new());
        x += width + 2;
    }
}

fn count(state: State, now: &Tally, before: Option<&Tally>) -> String {
    let pages = now.of(state);
    let name = state.name();

    match before.map(|before| (before.of(state), pages.cmp(&before.of(state)))) {
        Some((old, std::cmp::Ordering::Greater)) => format!("{name} {pages} +{}", pages - old),
        Some((old, std::cmp::Ordering::Less)) => format!("{name} {pages} -{}", old - pages),
        _ => format!("{name} {pages}"),
    }
}

fn rows(buffer: &mut Buffer, app: &App) {
    let fold = app.shown();
    let page_size = procfs::page_size();
    let width = buffer.area.width;

    for (i, row) in fold.rows().iter().enumerate().take(app.height()) {
        let y = HEAD + u16::try_from(i).unwrap_or(u16::MAX);
        let address = match app.view {
            View::Swap => format!("{:>14}", row.pages.start),
            _ => format!("{:>14x}", row.pages.start.saturating_mul(page_size)),
        };
        buffer.set_stringn(0, y, address, 14, Style::new());
        let cells = row.cells(fold.per_cell()).zip(fold.cells(i));
        for (x, (pages, tally)) in (ADDRESS..width - NAME).zip(cells) {
            let sign = tally.sign(pages.end - pages.start).to_string();
            buffer.set_stringn(x, y, sign, 1, style(tally.most()));
        }
        let room = usize::from(NAME - 1);
        let name = match app.view {
            View::Swap if row.first => app.devices.shown().map(Device::name),
            View::Memory if row.first => app
                .mapping(row)
                .map(|map| format!("{} {}", map.permissions, shortened(&map.name, room - 5))),
            _ => None,
        };
        buffer.set_stringn(
            width - NAME + 1,
            y,
            name.unwrap_or_default(),
            room,
            Style::new(),
        );
    }
}

fn events(buffer: &mut Buffer, app: &App, y: u16, count: usize) {
    let lines = &app.events.lines;
    let last = lines.iter().skip(lines.len().saturating_sub(count));

    for (y, text) in (y..buffer.area.height).zip(last) {
        line(buffer, y, text, Style::new());
    }
}

fn foot(buffer: &mut Buffer, app: &App) {
    let y = buffer.area.height - app.foot();

    if app.view != View::Events && app.events.recorded {
        events(buffer, app, y, 2);
    } else {
        lines(buffer, y, &app.notes());
    }
    let scale = match (app.view, app.layout.per_cell) {
        (View::Events, _) => format!("{} events", app.events.count),
        (View::Swap, 1) => "1 slot a cell".to_string(),
        (View::Swap, slots) => format!("{slots} slots a cell"),
        (_, 1) => "1 page a cell".to_string(),
        (_, pages) => format!("{pages} pages a cell"),
    };
    let shown = app.first + app.shown().rows().len() as u64;
    let keys = format!(
        "q quit Tab view +- zoom f fit arrows  {scale}, rows {}-{shown} of {}",
        app.first + 1,
        app.layout.len()
    );
    let reversed = Style::new().add_modifier(Modifier::REVERSED);
    line(buffer, buffer.area.height - 1, &keys, reversed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui_core::layout::Rect;

    fn text(buffer: &Buffer) -> Vec<String> {
        let width = usize::from(buffer.area.width);
        let symbols: Vec<_> = buffer.content.iter().map(|cell| cell.symbol()).collect();

        symbols.chunks(width).map(|line| line.concat()).collect()
    }

    /// This process on a screen of 80 columns and 24 lines: each row shows the cells of the pass.
    #[test]
    fn screen_shows_the_pass() {
        let mut app = App::new(std::process::id() as i32, false).expect("own memory");
        app.resize(80, 24);
        assert_eq!(app.begin().expect("own memory"), None);
        while !app.is_complete() {
            assert_eq!(app.step().expect("own memory"), None);
        }
        let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
        draw(&mut buffer, &app);
        let lines = text(&buffer);

        let fold = app.shown();
        assert!(fold.total().resident() > 0);
        assert_eq!(
            fold.rows().len(),
            app.height().min(app.layout.len() as usize)
        );
        assert!(lines.concat().contains("not known") || app.unknown.is_empty());
        for (i, row) in fold.rows().iter().enumerate() {
            let line = &lines[usize::from(HEAD) + i];
            assert!(
                line.trim_start()
                    .starts_with(&format!("{:x} ", row.pages.start * 4096)),
                "{line}"
            );
            let cells: String = row
                .cells(fold.per_cell())
                .zip(fold.cells(i))
                .map(|(pages, tally)| tally.sign(pages.end - pages.start))
                .collect();
            assert_eq!(line[usize::from(ADDRESS)..55].trim_end(), cells);
        }
        assert!(lines[0].starts_with("xpagemap watch "), "{lines:?}");
        assert!(
            lines[23].contains(&format!("of {}", app.layout.len())),
            "{lines:?}"
        );
        let file = fold.total().of(State::File);
        assert!(
            lines.concat().contains(&format!("F file or shared {file}")),
            "{lines:?}"
        );
    }

    #[test]
    fn small_terminals_are_told() {
        let mut app = App::new(std::process::id() as i32, false).expect("own memory");
        for (width, height) in [(1, 1), (40, 24), (80, 7)] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
            draw(&mut buffer, &app);
            assert_eq!(text(&buffer).concat().trim(), "", "of another size");
            app.resize(width, height);
            draw(&mut buffer, &app);
            assert!("the terminal is too small".starts_with(text(&buffer)[0].trim_end()));
        }
    }
}
