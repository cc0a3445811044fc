/// The targets of all links of a page, as they stand there. Both Apache's and nginx's listings are links in HTML; no
/// more is asked of the page than that.
pub(super) fn links(page: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(at) = find_ignoring_case(rest, "href") {
        rest = rest[at + 4..].trim_start();
        let Some(value) = rest.strip_prefix('=') else { continue };
        let value = value.trim_start();
        let (begin, target) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => (1, value[1..].split(quote).next()),
            _ => (0, value.split(|end: char| end.is_whitespace() || end == '>').next()),
        };
        let target = target.unwrap_or_default();
        found.extend(Some(target).filter(|target| !target.is_empty()));
        // Behind it, so that a page takes no longer than it is long.
        rest = &value[begin + target.len()..];
    }
    found
}

fn find_ignoring_case(text: &str, word: &str) -> Option<usize> {
    let word = word.as_bytes();
    text.as_bytes().windows(word.len()).position(|window| window.eq_ignore_ascii_case(word))
}

/// The path that a link leads to, relative to the page at `root` where it lies below it; without query and fragment.
pub(super) fn path_below<'a>(link: &'a str, root: &str) -> &'a str {
    let path = link.split(['?', '#']).next().unwrap_or(link);
    let path = path_of(path).unwrap_or(path);
    let root = path_of(root).unwrap_or("/");
    path.strip_prefix(root.trim_end_matches('/')).unwrap_or(path).trim_start_matches('/')
}

/// The path of an absolute URL, or of one without a scheme (`//host/path`).
fn path_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("//")?;
    (scheme.is_empty() || scheme == "http:" || scheme == "https:")
        .then(|| rest.find('/').map_or("", |slash| &rest[slash..]))
}

/// The name of the file that a link leads to, if it is one that an archive writes: `updates.20141222.1615.gz`.
/// Whatever could lead out of a folder is none.
pub(super) fn file_name(link: &str) -> Option<&str> {
    let name = path_below(link, "").rsplit('/').next()?;
    let parts: Vec<&str> = name.split('.').collect();
    let [word, date, clock, ending] = parts[..] else { return None };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (matches!(word, "updates" | "bview" | "rib")
        && date.len() == 8
        && digits(date)
        && matches!(clock.len(), 4 | 6)
        && digits(clock)
        && matches!(ending, "gz" | "bz2" | "xz" | "zst"))
    .then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NGINX: &str = "<html>\r\n<head><title>Index of /rrc00/2014.12/</title></head>\r\n<body>\r\n<h1>Index of \
        /rrc00/2014.12/</h1><hr><pre><a href=\"../\">../</a>\r\n<a href=\"bview.20141222.1600.gz\">bview.20141222.1600.gz\
        </a>   22-Dec-2014 16:03   72M\r\n<a href=\"updates.20141222.1615.gz\">updates.20141222.1615.gz</a> 3.8M\r\n";
    const APACHE: &str = "<TABLE><TR><TH><A HREF=\"?C=N;O=D\">Name</A></TH></TR><tr><td><img src=\"/icons/back.gif\"></td>\
        <td><a HREF = '/bgpdata/2014.12/'>Parent</a></td></tr><tr><td><A class=x \
        HREF=/bgpdata/2014.12/UPDATES/updates.20141222.1615.bz2>updates</A>\
        <a href=\"http://archive.example/bgpdata/2014.12/RIBS/rib.20141222.1600.bz2\">rib</a>";

    #[test]
    fn listings_of_nginx_and_apache_are_read() {
        let names = |page| links(page).into_iter().filter_map(file_name).collect::<Vec<_>>();
        assert_eq!(names(NGINX), ["bview.20141222.1600.gz", "updates.20141222.1615.gz"]);
        assert_eq!(names(APACHE), ["updates.20141222.1615.bz2", "rib.20141222.1600.bz2"]);
    }

    #[test]
    fn nothing_is_read_from_pages_that_are_no_listing() {
        for page in
            ["", "href", "href=", "<a href=\"", "<a href=''>", "hrefhrefhref==", "<a href=é>é", "İhref=\"İ\""]
        {
            assert!(links(page).into_iter().filter_map(file_name).next().is_none(), "{page}");
        }
    }

    #[test]
    fn a_name_never_leads_out_of_its_folder() {
        for link in [
            "../../updates.20141222.1615.gz/..",
            "updates.20141222.1615.gz/",
            "..%2fupdates.20141222.1615.gz",
            "updates.../etc",
            "updates.20141222.1615.sh",
        ] {
            assert_eq!(file_name(link), None, "{link}");
        }
    }

    #[test]
    fn a_page_of_links_without_end_is_read_in_one_pass() {
        let page = "href=".repeat(1 << 20);
        assert_eq!(links(&page).len(), 1);
        assert_eq!(links("<a href='é' href=b>href=\"c"), ["é", "b", "c"]);
    }

    #[test]
    fn links_are_taken_relative_to_their_page() {
        assert_eq!(path_below("route-views3/bgpdata", "http://archive.example/"), "route-views3/bgpdata");
        assert_eq!(path_below("/bgpdata/", "http://archive.example"), "bgpdata/");
        assert_eq!(path_below("/mirror/rv/bgpdata", "http://archive.example/mirror/rv/"), "bgpdata");
        assert_eq!(path_below("https://archive.example/rrc00/?x#y", "https://archive.example/"), "rrc00/");
    }
}
