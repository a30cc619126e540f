/** The path of a product: encoded twice, since API Gateway decodes paths and takes `?` and slashes for more than text then. */
export const productPath = (id: string): string =>
  `/api/v1/admin/products/${encodeURIComponent(encodeURIComponent(id))}`;
