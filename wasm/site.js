/** The pages: files of web/, from the platform's assets or, in plain workerd, from a folder. */

const TYPES = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  js: "text/javascript; charset=utf-8",
  json: "application/json; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  ts: "text/plain; charset=utf-8",
  webp: "image/webp",
  woff2: "font/woff2",
};

/** Pages load their own files and nothing else: no inline script or style, no frame, no form. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "media-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const SAFE = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "strict-origin-when-cross-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
};

/** Return the file at the request's path; null where there is none. */
export async function page(request, env) {
  const url = new URL(request.url);
  const found = await file(
    env,
    url,
    url.pathname.endsWith("/") ? `${url.pathname}index.html` : url.pathname,
  );
  if (found !== null || url.pathname.endsWith("/")) return found;
  // A folder without its slash: relative links in its page need it.
  const index = await file(env, url, `${url.pathname}/index.html`);
  return index === null ? null : Response.redirect(`${url.origin}${url.pathname}/`, 302);
}

async function file(env, url, path) {
  const type = TYPES[path.slice(path.lastIndexOf(".") + 1)];
  if (type === undefined || path.split("/").some((part) => part.startsWith("."))) return null;
  const found = await env.SITE.fetch(new URL(path, url.origin));
  if (!found.ok) {
    await found.body?.cancel();
    return null;
  }
  const headers = { "Content-Type": type, "Cache-Control": "no-cache", ...SAFE };
  if (type.startsWith("text/html")) headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY;
  if (url.protocol === "https:") headers["Strict-Transport-Security"] = "max-age=31536000";
  return new Response(found.body, { headers });
}
