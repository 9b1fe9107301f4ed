//! The administrator's pages beside the overview: extensions, one extension with all that belongs to it, numbers and routes,
//! phones. They show what the node's commands print; what their forms change goes over REST as everything else does.

use crate::error::ApiError;
use crate::page::{ExtensionsPart, Page, page};
use crate::principal::Principal;
use crate::{App, Shared};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use pbx::commands::{
    Alarm, Answer, CallList, Command, Destination, ExtensionStatus, IpPhone, IpPhoneParameter, Number, Status, Table,
};

pub fn router() -> Router<Shared> {
    Router::new()
        .route("/admin/extensions", get(extensions))
        .route("/admin/extensions/{number}", get(extension))
        .route("/admin/routes", get(routes))
        .route("/admin/phones", get(phones))
        .route("/parts/extension/{number}", get(extension_part))
        .route("/parts/call-list/{number}", get(call_list_part))
        .route("/parts/phones-of/{number}", get(phones_of_part))
        .route("/parts/table/{name}", get(table_part))
}

#[derive(Template)]
#[template(path = "admin/extensions.html")]
struct ExtensionsPage {
    extensions: ExtensionsPart,
}

#[derive(Template)]
#[template(path = "admin/extension.html")]
struct ExtensionPage {
    number: String,
    first: String,
    last: String,
    state: ExtensionPart,
    call_list: CallListPart,
    phones: PhonesPart,
}

#[derive(Template)]
#[template(path = "admin/routes.html")]
struct RoutesPage {
    routes: TablePart,
    destinations: TablePart,
    numbers: TablePart,
}

#[derive(Template)]
#[template(path = "admin/phones.html")]
struct PhonesPage {
    phones: PhonesPart,
    parameters: TablePart,
}

#[derive(Template)]
#[template(path = "parts/extension.html")]
struct ExtensionPart {
    extension: ExtensionStatus,
}

#[derive(Template)]
#[template(path = "parts/call_list.html")]
struct CallListPart {
    number: String,
    positions: Vec<PositionView>,
}

/// A position of the call list in use.
struct PositionView {
    position: String,
    destination: String,
    time: String,
    /// What happens at busy, in words.
    busy: String,
    bypass: bool,
}

#[derive(Template)]
#[template(path = "parts/phones.html")]
struct PhonesPart {
    phones: Vec<PhoneView>,
}

struct PhoneView {
    mac: String,
    extension: String,
    model: String,
}

/// What a command prints, as a table of the page.
#[derive(Template)]
#[template(path = "parts/table.html")]
pub struct TablePart {
    tables: Vec<Table>,
    /// What is said when nothing is there.
    nothing: &'static str,
}

/// A printout that the pages show, by its name in their addresses.
fn printout(name: &str) -> Option<(Command, &'static str)> {
    Some(match name {
        "routes" => (Command::Status(Status::Routes {}), "No routes yet."),
        "alarms" => (Command::Alarm(Alarm::Print { severity: None, all: None }), "Nothing is wrong."),
        "destinations" => (Command::Destination(Destination::Print { dest: None }), "No number leads to a route yet."),
        "numbers" => (Command::Number(Number::Print { number: None }), "The number plan is empty."),
        "phone-parameters" => {
            let print = IpPhoneParameter::Print { file: None };
            (Command::IpPhoneParameter(print), "No lines of your own in the phones’ files.")
        }
        _ => return None,
    })
}

/// The cell of a row under a heading; empty when there is none.
fn cell(table: &Table, row: &[String], column: &str) -> String {
    let at = table.columns.iter().position(|name| name == column);
    at.and_then(|at| row.get(at)).cloned().unwrap_or_default()
}

/// Columns that hold nothing in any row only make a table wide.
fn without_empty_columns(table: &mut Table) {
    let filled =
        |at: usize| table.rows.iter().any(|row| row.get(at).is_some_and(|cell| !matches!(cell.as_str(), "" | "-")));
    let kept: Vec<bool> = (0..table.columns.len()).map(filled).collect();
    let keep = |cells: &mut Vec<String>| {
        let mut kept = kept.iter();
        cells.retain(|_| kept.next().copied().unwrap_or(true));
    };
    keep(&mut table.columns);
    table.rows.iter_mut().for_each(keep);
}

fn no_page() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "There is no such page", "Go to the start page")
}

impl App {
    async fn tables(&self, command: Command) -> Result<Vec<Table>, ApiError> {
        match self.ask_node(command).await? {
            Answer::Tables { tables } => Ok(tables),
            _ => Err(ApiError::unavailable("the PBX answered something else")),
        }
    }

    pub async fn table_part(&self, name: &str) -> Result<TablePart, ApiError> {
        let (command, nothing) = printout(name).ok_or_else(no_page)?;
        let mut tables = self.tables(command).await?;
        tables.retain(|table| !table.rows.is_empty());
        tables.iter_mut().for_each(without_empty_columns);
        Ok(TablePart { tables, nothing })
    }

    async fn extension_status(&self, number: &str) -> Result<ExtensionStatus, ApiError> {
        let found = self.extensions().await?.into_iter().find(|extension| extension.number == number);
        found.ok_or_else(|| {
            ApiError::new(
                StatusCode::NOT_FOUND,
                "There is no such extension",
                "It may have been ended; look at the list",
            )
        })
    }

    async fn call_list_part(&self, number: String) -> Result<CallListPart, ApiError> {
        let tables = self.tables(Command::CallList(CallList::Print { dir: Some(number.clone()) })).await?;
        let positions = tables.iter().flat_map(|table| {
            // The list in use is the first.
            let rows = table.rows.iter().filter(|row| cell(table, row, "List") == "1");
            rows.map(|row| {
                let of = |column| cell(table, row, column);
                PositionView {
                    position: of("Pos"),
                    destination: of("DestNumber"),
                    time: of("Time"),
                    busy: match of("BusyPos").as_str() {
                        "" | "0" => "busy tone".into(),
                        "11" => "the extension’s diversion".into(),
                        position => format!("position {position}"),
                    },
                    bypass: matches!(of("IrdBypass").as_str(), "yes" | "true" | "1"),
                }
            })
        });
        Ok(CallListPart { positions: positions.collect(), number })
    }

    async fn phones_part(&self, dir: Option<String>) -> Result<PhonesPart, ApiError> {
        let tables = self.tables(Command::IpPhone(IpPhone::Print { dir, mac: None })).await?;
        let phones = tables.iter().flat_map(|table| {
            table.rows.iter().map(|row| PhoneView {
                mac: cell(table, row, "Mac"),
                extension: cell(table, row, "Dir"),
                model: cell(table, row, "Model"),
            })
        });
        Ok(PhonesPart { phones: phones.collect() })
    }

    async fn extension_page(&self, number: String) -> Result<ExtensionPage, ApiError> {
        let state = self.extension_status(&number).await?;
        let print = pbx::commands::Verb::Print { dir: Some(number.clone()) };
        let names = self.tables(Command::Name(print)).await?;
        let named = |column| {
            let found = names.iter().find_map(|table| Some(cell(table, table.rows.first()?, column)));
            found.unwrap_or_default()
        };
        Ok(ExtensionPage {
            first: named("Name1"),
            last: named("Name2"),
            state: ExtensionPart { extension: state },
            call_list: self.call_list_part(number.clone()).await?,
            phones: self.phones_part(Some(number.clone())).await?,
            number,
        })
    }

    async fn routes_page(&self) -> Result<RoutesPage, ApiError> {
        Ok(RoutesPage {
            routes: self.table_part("routes").await?,
            destinations: self.table_part("destinations").await?,
            numbers: self.table_part("numbers").await?,
        })
    }

    async fn phones_page(&self) -> Result<PhonesPage, ApiError> {
        Ok(PhonesPage { phones: self.phones_part(None).await?, parameters: self.table_part("phone-parameters").await? })
    }
}

/// A page for the administrator; who is not signed in is led to where one signs in.
async fn for_admin<T: Template>(
    principal: Result<Principal, ApiError>,
    make: impl Future<Output = Result<T, ApiError>>,
) -> Response {
    match principal {
        Ok(principal) => match principal.admin() {
            Ok(_) => page(make.await),
            Err(error) => page::<T>(Err(error)),
        },
        Err(_) => Redirect::to("/").into_response(),
    }
}

async fn extensions(State(app): State<Shared>, principal: Result<Principal, ApiError>) -> Response {
    let make = async { Ok(ExtensionsPage { extensions: app.extensions_part().await? }) };
    for_admin(principal, make).await
}

async fn extension(
    State(app): State<Shared>,
    principal: Result<Principal, ApiError>,
    Path(number): Path<String>,
) -> Response {
    for_admin(principal, app.extension_page(number)).await
}

async fn routes(State(app): State<Shared>, principal: Result<Principal, ApiError>) -> Response {
    for_admin(principal, app.routes_page()).await
}

async fn phones(State(app): State<Shared>, principal: Result<Principal, ApiError>) -> Response {
    for_admin(principal, app.phones_page()).await
}

async fn extension_part(
    State(app): State<Shared>,
    principal: Principal,
    Path(number): Path<String>,
) -> Result<Response, ApiError> {
    principal.admin()?;
    Ok(Page(ExtensionPart { extension: app.extension_status(&number).await? }).into_response())
}

async fn call_list_part(
    State(app): State<Shared>,
    principal: Principal,
    Path(number): Path<String>,
) -> Result<Response, ApiError> {
    principal.admin()?;
    Ok(Page(app.call_list_part(number).await?).into_response())
}

async fn phones_of_part(
    State(app): State<Shared>,
    principal: Principal,
    Path(number): Path<String>,
) -> Result<Response, ApiError> {
    principal.admin()?;
    let dir = Some(number).filter(|number| number != "all");
    Ok(Page(app.phones_part(dir).await?).into_response())
}

async fn table_part(
    State(app): State<Shared>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    principal.admin()?;
    Ok(Page(app.table_part(&name).await?).into_response())
}
