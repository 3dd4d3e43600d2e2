// Starts Swagger UI on the description of this install, with the visitor's own session.

const { schema, csrfToken } = document.getElementById("viewer").dataset;

SwaggerUIBundle({
  dom_id: "#viewer",
  url: schema,
  layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  docExpansion: "list",
  validatorUrl: null, // the validator is somebody else's server
  requestInterceptor: (request) => {
    const isOurs = new URL(request.url, location.href).origin === location.origin;
    if (isOurs && request.method && request.method !== "GET") request.headers["X-CSRFToken"] = csrfToken;
    return request;
  },
});
