//! `gonedark export` and `gonedark import`: out of a store, and into one.

use super::{Failure, meaning};
use crate::cli::{self, ExportFormat};
use crate::config;
use crate::present::csv;
use crate::rows::{Column, Field};
use crate::store::Store;
use crate::store::export::{self, Choice, What};
use crate::store::{import::ImportFault, open_to_read};
use anyhow::{Context, Error, anyhow};
use gonedark_infer::entity::Entity;
use gonedark_route::Time;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub(super) fn run(arguments: &cli::Export, out: &mut dyn Write) -> Result<(), Failure> {
    let store = match &arguments.store {
        Some(store) => store.clone(),
        None => config::read(&arguments.config).map_err(Failure::Usage)?.store.path,
    };
    let what = match arguments.what {
        cli::What::Incidents => What::Incidents,
        cli::What::Points => What::Points,
        cli::What::Blind => What::Blind,
        cli::What::Phases => What::Phases,
        cli::What::Attacks => What::Attacks,
        cli::What::Deaf => What::Deaf,
    };
    if matches!(what, What::Blind | What::Deaf) && !arguments.entity.is_empty() {
        let (who, word) = if what == What::Blind {
            ("collectors and peers are blind", "blind")
        } else {
            ("exporters are deaf", "deaf")
        };
        return Err(Failure::Usage(format!(
            "--entity: {who}, not entities; leave it out with --what {word}"
        )));
    }
    let bound = |flag, text: &Option<String>, none| {
        text.as_ref().map_or(Ok(none), |text| meaning::moment(flag, text))
    };
    let (from, until) =
        (bound("from", &arguments.from, Time::MIN)?, bound("until", &arguments.until, Time::MAX)?);
    if from > until {
        return Err(Failure::Usage(format!("--from {from} comes after --until {until}")));
    }
    let choice = Choice {
        entities: arguments.entity.iter().map(|text| entity(text)).collect::<Result<_, _>>()?,
        from,
        until,
    };
    if arguments.format == ExportFormat::Parquet {
        if !cfg!(feature = "parquet") {
            let why = "--format parquet: this program was built without it; write csv or ndjson, or build it with \
                       --features parquet";
            return Err(Failure::Usage(why.to_owned()));
        }
        if arguments.out == Path::new("-") {
            return Err(Failure::Usage(
                "--format parquet: is no text; say where to with --out FILE".to_owned(),
            ));
        }
    }
    // Written beside its place and put there when it is whole.
    let part = arguments.out.with_added_extension("part");
    let is_printed = arguments.out == Path::new("-");
    if !is_printed {
        spare([&arguments.out, &part], &store, &arguments.config)?;
    }
    let db = open_to_read(&store).map_err(|fault| Failure::Input(fault.into()))?;
    let of_store = |error: Error| match error.is::<rusqlite::Error>() {
        true => error.context(format!("{}: cannot be read as a store", store.display())),
        false => error,
    };
    if is_printed {
        return Ok(write(&db, what, &choice, arguments.format, out).map_err(of_store)?);
    }
    let told = || format!("cannot write {}", arguments.out.display());
    let mut file = BufWriter::new(File::create(&part).with_context(told)?);
    match arguments.format {
        ExportFormat::Parquet => {
            #[cfg(feature = "parquet")]
            write_parquet(&db, what, &choice, &mut file).map_err(of_store)?;
        }
        format => write(&db, what, &choice, format, &mut file).map_err(of_store)?,
    }
    let file = file.into_inner().map_err(io::IntoInnerError::into_error).with_context(told)?;
    file.sync_all().and_then(|()| std::fs::rename(&part, &arguments.out)).with_context(told)?;
    Ok(())
}

/// Refuses to write over what the watch needs, at any of the places that are written to.
fn spare(places: [&Path; 2], store: &Path, config: &Path) -> Result<(), Failure> {
    let beside = |ending: &str| {
        let mut name = store.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let kept = [
        (store.to_owned(), "the store itself"),
        (beside("-wal"), "a part of the store"),
        (beside("-shm"), "a part of the store"),
        (beside("-journal"), "a part of the store"),
        (beside(".lock"), "the lock of the store"),
        (config.to_owned(), "the configuration"),
    ];
    for (path, what) in kept {
        if places.iter().any(|place| is_same(place, &path)) {
            let out = places[0].display();
            return Err(Failure::Usage(format!("--out {out}: would overwrite {what}; give another file")));
        }
    }
    Ok(())
}

/// Whether two paths lead to one file, whatever its names, or to one place where there is none yet.
fn is_same(one: &Path, other: &Path) -> bool {
    let file = |path: &Path| std::fs::metadata(path).ok().map(|known| (known.dev(), known.ino()));
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        path.file_name().map(|name| folder.join(name))
    };
    file(one).is_some_and(|known| file(other) == Some(known))
        || place(one).is_some_and(|known| place(other) == Some(known))
}

/// `KP`, `AS131279`, `175.45.176.0/22`.
fn entity(text: &str) -> Result<Entity, Failure> {
    let one = [text.to_owned()];
    let watch = if text.contains('/') {
        meaning::watch(&[], &[], &one)
    } else if text.len() > 2 {
        meaning::watch(&[], &one, &[])
    } else {
        meaning::watch(&one, &[], &[])
    };
    let wrong = || {
        Failure::Usage(format!(
            "--entity {text}: write a country (KP), an AS (AS131279) or a prefix (175.45.176.0/22)"
        ))
    };
    let watch = watch.map_err(|_| wrong())?;
    let country = watch.countries.into_iter().map(Entity::Country);
    let others = watch.asns.into_iter().map(Entity::As).chain(watch.prefixes.into_iter().map(Entity::Prefix));
    country.chain(others).next().ok_or_else(wrong)
}

fn write(
    db: &rusqlite::Connection,
    what: What,
    choice: &Choice,
    format: ExportFormat,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let columns = what.columns();
    if format == ExportFormat::Csv {
        // The heading comes with the first row: nothing is printed of a store that cannot be read.
        let mut is_headed = false;
        export::export(db, what, choice, |fields, _| {
            if !std::mem::replace(&mut is_headed, true) {
                csv::write_heading(out, columns)?;
            }
            csv::write_fields(out, fields).map_err(Error::from)
        })?;
        if !is_headed {
            csv::write_heading(out, columns)?;
        }
        return Ok(());
    }
    export::export(db, what, choice, |fields, body| {
        match body {
            // All of the incident, as in the report.
            Some(body) => writeln!(out, "{body}")?,
            None => writeln!(out, "{}", object(columns, fields))?,
        }
        Ok(())
    })
}

#[cfg(feature = "parquet")]
fn write_parquet(
    db: &rusqlite::Connection,
    what: What,
    choice: &Choice,
    out: &mut BufWriter<File>,
) -> Result<(), Error> {
    let mut table = crate::present::columns::Table::begin(out, what.columns())?;
    export::export(db, what, choice, |fields, _| table.row(fields).map_err(Error::from))?;
    Ok(table.end()?)
}

/// The keys in the order of the columns.
fn object(columns: &[Column], fields: &[Field]) -> String {
    let pair = |(column, field): (&Column, &Field)| {
        let value = match field {
            Field::Null => serde_json::Value::Null,
            Field::Number(number) => (*number).into(),
            Field::Text(text) => text.as_str().into(),
            Field::Moment(time) => time.to_string().into(),
            Field::Truth(truth) => (*truth).into(),
        };
        format!("\"{}\":{value}", column.name)
    };
    format!("{{{}}}", columns.iter().zip(fields).map(pair).collect::<Vec<_>>().join(","))
}

/// Puts reports of replays into a store.
pub(super) fn import(arguments: &cli::Import, out: &mut dyn Write) -> Result<(), Failure> {
    let (mut store, warnings) =
        Store::open(&arguments.store).map_err(|fault| Failure::Input(fault.into()))?;
    for warning in warnings {
        writeln!(out, "{warning}").context("cannot write")?;
    }
    let wrong = |path: &Path, fault: ImportFault| match fault {
        ImportFault::Input(why) => Failure::Input(anyhow!("{}: {why}", path.display())),
        ImportFault::Store(fault) => Failure::Input(fault.into()),
    };
    for path in &arguments.reports {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let digest: String =
            Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let count = store.import_report(&name(path)?, &digest, &text).map_err(|fault| wrong(path, fault))?;
        writeln!(out, "{}: {count} incidents", path.display()).context("cannot write")?;
    }
    for path in &arguments.series {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let count = store
            .import_series(&name(path)?, BufReader::new(file).lines())
            .map_err(|fault| wrong(path, fault))?;
        writeln!(out, "{}: {count} values of signals", path.display()).context("cannot write")?;
    }
    Ok(())
}

/// By its name a file is known again, wherever it lies.
fn name(path: &Path) -> Result<String, Error> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    name.ok_or_else(|| anyhow!("{}: is no file", path.display()))
}
